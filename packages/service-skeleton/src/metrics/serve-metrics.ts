import { listen } from '../listen.js';
import type { OpenedParts } from '../opened-parts.js';
import type { ListenAddress } from '../settings.js';
import { createMetricsApp, type MetricsAppOptions } from './metrics-app.js';
import type { ProcessMetrics } from './process-metrics.js';

export interface ServeMetricsOptions extends Omit<MetricsAppOptions, 'processMetrics'> {
  /** KEYD_METRICS_LISTEN; undefined: nobody is answered. */
  readonly at: ListenAddress | undefined;
  /** Begins to watch the process. Absent: somebody else owns it. */
  readonly watchProcess?: (() => ProcessMetrics) | undefined;
}

/** Answers Prometheus where that is asked for. Returns where it answers, by name. */
export async function serveMetrics(
  { at, watchProcess, ...options }: ServeMetricsOptions,
  parts: Pick<OpenedParts, 'add'>,
): Promise<{ readonly metrics?: string }> {
  if (at === undefined) return {};
  const app = createMetricsApp({ ...options, processMetrics: watchProcess?.() });
  parts.add(() => app.close());
  return { metrics: await listen(app, at, 'KEYD_METRICS_LISTEN') };
}
