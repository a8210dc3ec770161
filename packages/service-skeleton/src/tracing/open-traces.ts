import type { Tracer } from '@opentelemetry/api';
import type { Logger } from '../logging.js';
import type { TracesSettings } from './traces-settings.js';

/** Where a service's spans go while it runs. */
export interface Traces {
  /** Undefined: nothing is traced. */
  readonly tracer: Tracer | undefined;
  /** Sends what waits, for a few seconds at most. */
  readonly close: () => Promise<void>;
}

const NONE: Traces = { tracer: undefined, close: () => Promise.resolve() };

/** What sends traces is loaded only where a collector is configured. Does not wait for the collector. */
export async function openTraces(
  { tracesEndpoint, tracesRatio }: TracesSettings,
  { service, log }: { readonly service: string; readonly log: Logger },
): Promise<Traces> {
  if (tracesEndpoint === undefined) return NONE;
  const { exportedTraces } = await import('./exported-traces.js');
  return exportedTraces({ endpoint: tracesEndpoint, ratio: tracesRatio, service, log });
}
