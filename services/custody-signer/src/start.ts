import type { MakeDurable } from '@sigv4-keyd/ledger';
import {
  certificateReadings,
  HopMeter,
  listen,
  Metrics,
  openOwnCredentials,
  openTraces,
  openWhole,
  ownReadings,
  serveWatchers,
  toldDoubts,
  type OpenedParts,
  type Readings,
  type RunningService,
  type ServiceContext,
} from '@sigv4-keyd/service-skeleton';
import { createSignerApp } from './app.js';
import { CallCounts } from './audit.js';
import type { Configuration } from './configuration.js';
import type { SignerKeys } from './key-source.js';
import { LIFETIMES } from './lifetimes.js';

/** `makeDurable`: how the journal reaches the disk; absent: fdatasync. */
export type SignerContext = ServiceContext & { readonly makeDurable?: MakeDurable };

/** Starts custody-signer once its journal of calls is whole. */
export function startCustodySigner(configuration: Configuration, context: SignerContext): Promise<RunningService> {
  return openWhole((parts) => open(configuration, context, parts));
}

async function open(
  configuration: Configuration,
  { clock, log, makeDurable, watchProcess }: SignerContext,
  parts: OpenedParts,
): Promise<RunningService> {
  const { stateFolder, signerKey, signerKeyBefore, longestPresigned, clockSkew } = configuration;
  const traces = await openTraces(configuration, { service: 'custody-signer', log });
  parts.add(traces.close);
  const credentials = await openOwnCredentials(configuration, 'signer', { clock, log });
  parts.add(credentials.stop);
  const { store, identity } = credentials;
  const counts = await CallCounts.open({ stateFolder, clock, log, ...(makeDurable && { makeDurable }) });
  parts.add(() => counts.close());
  await counts.forget();
  parts.add(counts.start());
  const keys: SignerKeys = [signerKey, ...(signerKeyBefore ? [signerKeyBefore] : [])];
  const notReady = (): readonly string[] =>
    counts.failure === undefined ? [] : [`calls cannot be counted, so that none is answered: ${counts.failure}`];
  const metrics = new Metrics('custody-signer');
  const app = await createSignerApp({
    own: identity,
    credentials: store,
    keys,
    counts,
    window: { longestPresignedSeconds: longestPresigned, clockSkewSeconds: clockSkew },
    notReady,
    meter: new HopMeter(metrics),
    tracer: traces.tracer,
    now: () => clock.now(),
    log,
  });
  parts.add(() => app.close());
  const doubts = toldDoubts(configuration, LIFETIMES, log);
  const warnings = (): readonly string[] => [...credentials.warnings(), ...doubts];
  const status = (): object => ({
    identity: store.current.spiffeId,
    certificateExpiresAt: store.current.notAfter.toISOString(),
    signerKeys: keys.map(({ id }) => id),
    calls: counts.status(),
  });
  const readings = (): Readings<'custody-signer'> => ({
    ...ownReadings({ service: 'custody-signer', notReady, warnings }),
    ...certificateReadings(store, clock),
    keyd_signer_calls_total: counts.counted,
  });
  const addresses = {
    hop: await listen(app, configuration.listen, 'KEYD_LISTEN'),
    ...(await serveWatchers(configuration, { notReady, warnings, status, metrics, readings, watchProcess }, parts)),
  };
  return { addresses, reload: () => store.reload(), close: () => parts.close() };
}
