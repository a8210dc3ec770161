import { createHealthApp } from '@sigv4-keyd/service-skeleton';
import Fastify from 'fastify';
import { serverSettings } from './settings.js';

/**
 * The least that a Fastify app does for a request: an empty 204. Without a logger and without its query parser, which
 * alone would cost more than what it is compared with.
 */
const { BENCH_PORT, BENCH_HEALTH_PORT } = serverSettings.parse(process.env);
const app = Fastify({ logger: false, routerOptions: { querystringParser: () => ({}) } });
app.get('/*', (_request, reply) => {
  reply.code(204).send();
});
await app.listen({ host: '127.0.0.1', port: BENCH_PORT });
await createHealthApp({ notReady: () => [], status: () => ({}) }).listen({
  host: '127.0.0.1',
  port: BENCH_HEALTH_PORT,
});
