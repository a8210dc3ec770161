import { context, propagation } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Logger } from '../logging.js';
import { VERSION } from '../version.js';
import type { Traces } from './open-traces.js';
import { WatchedExporter } from './watched-exporter.js';

export interface ExportedTracesOptions {
  readonly endpoint: URL;
  /** From 0 to 1, of the traces that begin here. */
  readonly ratio: number;
  readonly service: string;
  readonly log: Logger;
}

/** Spans that wait to be sent, a few hundred bytes each: what comes when so many wait is dropped, and nobody waits. */
const MOST_WAITING = 2_048;
const MOST_AT_ONCE = 512;
const SEND_EVERY_MS = 2_000;
/** A collector that is silent for longer has lost what it was sent. */
const SEND_WITHIN_MS = 5_000;
/** Less than a service has for its end. */
const CLOSE_WITHIN_MS = 2_000;

/** Sends spans to a collector, behind the back of the requests that they tell of. */
export function exportedTraces({ endpoint, ratio, service, log }: ExportedTracesOptions): Traces {
  const unregister = registerContext();
  const url = new URL(endpoint);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/traces`;
  const exporter = new OTLPTraceExporter({ url: url.href, timeoutMillis: SEND_WITHIN_MS });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': service, 'service.version': VERSION }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new WatchedExporter(exporter, log),
        maxQueueSize: MOST_WAITING,
        maxExportBatchSize: MOST_AT_ONCE,
        scheduledDelayMillis: SEND_EVERY_MS,
        exportTimeoutMillis: SEND_WITHIN_MS,
      }),
    ],
  });
  return {
    tracer: provider.getTracer('sigv4-keyd', VERSION),
    async close() {
      await atMost(CLOSE_WITHIN_MS, provider.shutdown());
      unregister();
    },
  };
}

/**
 * How spans find their parents, in this process and in the headers of requests. OpenTelemetry has one of each a
 * process; of several services in one, the first brings it and takes it along.
 */
function registerContext(): () => void {
  const isOurs = context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  if (!isOurs) return () => undefined;
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  return () => {
    propagation.disable();
    context.disable();
  };
}

/** Resolves when the work is over, however it ended, or when it takes too long. */
async function atMost(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work.catch(() => undefined), late]);
  clearTimeout(timer);
}
