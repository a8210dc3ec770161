import Fastify, { type FastifyInstance } from 'fastify';
import { isConfined } from './confinement/index.js';

/** What a service says of itself. Nothing in it is secret, yet it listens on loopback or a private network only. */
export interface Health {
  /** Why the service cannot do its work now, in words; empty when it can. */
  readonly notReady: () => readonly string[];
  /** What somebody should see to although the service does its work. */
  readonly warnings?: () => readonly string[];
  /** Everything else worth seeing: days held, ages, peers. */
  readonly status: () => object;
}

/** The plain-HTTP listener for probes: live means the process answers, ready means it can do its work. */
export function createHealthApp(health: Health): FastifyInstance {
  const app = Fastify({ logger: false });
  const warnings = (): readonly string[] => health.warnings?.() ?? [];
  app.get('/health/live', () => ({ live: true }));
  app.get('/health/ready', (_request, reply) => {
    const notReady = health.notReady();
    const ready = notReady.length === 0;
    return reply.code(ready ? 200 : 503).send({ ready, notReady, warnings: warnings() });
  });
  app.get('/status', () => {
    const notReady = health.notReady();
    const confined = isConfined();
    return { ready: notReady.length === 0, notReady, warnings: warnings(), confined, ...health.status() };
  });
  return app;
}
