import { createHealthApp, type Health } from './health.js';
import { listen } from './listen.js';
import { createMetricsApp, type MetricsAppOptions } from './metrics/metrics-app.js';
import type { ProcessMetrics } from './metrics/process-metrics.js';
import type { OpenedParts } from './opened-parts.js';
import type { ListenAddress } from './settings.js';

export interface WatcherAddresses {
  readonly healthListen: ListenAddress;
  /** Undefined: Prometheus is not answered. */
  readonly metricsListen?: ListenAddress | undefined;
}

export interface WatchedService extends Health, Pick<MetricsAppOptions, 'metrics' | 'readings'> {
  /** Begins to watch the process. Absent: somebody else owns it. */
  readonly watchProcess?: (() => ProcessMetrics) | undefined;
}

/** Answers those who watch a service: probes, and Prometheus. Returns where, by name. */
export async function serveWatchers(
  { healthListen, metricsListen }: WatcherAddresses,
  { metrics, readings, watchProcess, ...health }: WatchedService,
  parts: OpenedParts,
): Promise<{ readonly health: string; readonly metrics?: string }> {
  const healthApp = createHealthApp(health);
  parts.add(() => healthApp.close());
  const addresses = { health: await listen(healthApp, healthListen, 'KEYD_HEALTH_LISTEN') };
  if (metricsListen === undefined) return addresses;
  const metricsApp = createMetricsApp({ metrics, readings, processMetrics: watchProcess?.() });
  parts.add(() => metricsApp.close());
  return { ...addresses, metrics: await listen(metricsApp, metricsListen, 'KEYD_METRICS_LISTEN') };
}
