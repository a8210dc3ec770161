import { openEdgeKeys, type EdgeKeys } from '@sigv4-keyd/edge-keys';
import {
  environmentFor,
  Metrics,
  openTraces,
  openWhole,
  ownReadings,
  requireProcesses,
  serveWatchers,
  type OpenedParts,
  type Readings,
  type RunningService,
  type ServiceContext,
  WRITTEN_AT_ONCE,
} from '@sigv4-keyd/service-skeleton';
import { isS3Service } from '@sigv4-keyd/sigv4-core';
import type { Configuration } from './configuration.js';
import { createEdge } from './edge.js';
import { startFronts, type RunningFronts } from './fronts.js';
import { RequestMeter } from './request-meter.js';
import { workerConfiguration } from './workers/worker-configuration.js';
import { Workers } from './workers/workers.js';

const DEBUG_WARNING =
  'KEYD_DEBUG_SIGNATURES is on: refusals show signed headers to whoever asks. Switch it off outside development.';

const NO_FORMS_WARNING =
  'KEYD_POST_FORMS is on without effect: this edge, by its certificate, is of a service that takes no forms.';

/** Starts edge-verifier, with its region out of reach, too: it is not ready then, but verifies with what it holds. */
export function startEdgeVerifier(configuration: Configuration, context: ServiceContext): Promise<RunningService> {
  return openWhole((parts) => start(configuration, context, parts));
}

async function start(
  configuration: Configuration,
  context: ServiceContext,
  parts: OpenedParts,
): Promise<RunningService> {
  const { clock, log, lines = WRITTEN_AT_ONCE, watchProcess } = context;
  if (configuration.workers > 1) requireProcesses(`KEYD_WORKERS=${configuration.workers}`);
  const { tracer, close: closeTraces } = await openTraces(configuration, { service: 'edge-verifier', log });
  parts.add(closeTraces);
  // Closed after the fronts: what they accepted last is counted, too.
  const keys = await openEdgeKeys(configuration, { ...context, tracer });
  parts.add(() => keys.close());
  const metrics = new Metrics('edge-verifier');
  const meter = new RequestMeter(metrics);
  const traces = tracer && { tracer, clientTraces: configuration.clientTraces };
  const workers = configuration.workers > 1 ? await startWorkers(configuration, context, keys, meter) : undefined;
  const fronts: RunningFronts =
    workers ??
    (await startFronts(createEdge(keys.own, configuration, { clock, log, lines, keys, meter, traces }), configuration));
  parts.add(() => fronts.close());
  const { debugSignatures, postForms } = configuration;
  const doubts = [
    ...(debugSignatures ? [DEBUG_WARNING] : []),
    ...(postForms && !isS3Service(keys.own.service) ? [NO_FORMS_WARNING] : []),
  ];
  for (const doubt of doubts) log.warn(doubt);
  const notReady = (): readonly string[] => [...keys.notReady(), ...(workers?.notReady() ?? [])];
  const warnings = (): readonly string[] => [...keys.warnings(), ...(workers?.warnings() ?? []), ...doubts];
  const status = (): object => ({ ...keys.status(), ...(workers && { workers: workers.status() }) });
  const readings = async (): Promise<Readings<'edge-verifier'>> => {
    await workers?.handIn();
    return { ...ownReadings({ service: 'edge-verifier', notReady, warnings }), ...keys.readings() };
  };
  const addresses = {
    ...fronts.addresses,
    ...(await serveWatchers(configuration, { notReady, warnings, status, metrics, readings, watchProcess }, parts)),
  };
  return {
    addresses,
    async reload() {
      await keys.reload();
      await fronts.reload();
    },
    close: () => parts.close(),
  };
}

function startWorkers(
  configuration: Configuration,
  { clock, log, environment = {} }: ServiceContext,
  keys: EdgeKeys,
  meter: RequestMeter,
): Promise<Workers> {
  const { workers: count, refusalsPerSecond } = configuration;
  const told = environmentFor(workerConfiguration, environment);
  return Workers.start({ ...{ count, refusalsPerSecond, keys, meter, clock, log }, environment: told });
}
