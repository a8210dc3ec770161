import Fastify, { type FastifyInstance } from 'fastify';
import type { AnyReadings, Metrics } from './metrics.js';
import type { ProcessMetrics } from './process-metrics.js';

export interface MetricsAppOptions {
  readonly metrics: Metrics;
  /** Reads the service, at each scrape. */
  readonly readings: () => AnyReadings | Promise<AnyReadings>;
  readonly processMetrics?: ProcessMetrics | undefined;
}

/** The plain-HTTP listener for Prometheus. Nothing that it tells is secret, yet it belongs on a private network. */
export function createMetricsApp({ metrics, readings, processMetrics }: MetricsAppOptions): FastifyInstance {
  const app = Fastify({ logger: false });
  app.get('/metrics', async (_request, reply) => {
    const parts = [await metrics.text(await readings()), await processMetrics?.()];
    return reply.type(metrics.contentType).send(parts.filter((part) => part !== undefined).join('\n'));
  });
  return app;
}
