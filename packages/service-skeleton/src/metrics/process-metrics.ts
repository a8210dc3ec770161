import { collectDefaultMetrics, Registry } from 'prom-client';

/** The text of what Prometheus is told of a process: memory, processor time, event loop lag, garbage collection. */
export type ProcessMetrics = () => Promise<string>;

/**
 * Begins to watch this process, which goes on until the process ends: for who owns the process, once. The names are
 * prom-client's own (`process_…`, `nodejs_…`).
 */
export function watchProcess(): ProcessMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return () => registry.metrics();
}
