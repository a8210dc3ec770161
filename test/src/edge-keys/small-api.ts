// A small API that verifies with the keys of an edge. Configured by its environment, it says on standard output where
// it listens, and closes on SIGTERM. It never calls process.exit, but ends when nothing of it is left.
import { edgeKeysFromEnvironment, openEdgeKeys } from '@sigv4-keyd/edge-keys';
import { fastifySigv4 } from '@sigv4-keyd/sigv4-server';
import Fastify from 'fastify';
import { pino } from 'pino';
import { HOST } from '../edge-verifier/client.js';

const app = Fastify();
const keys = await openEdgeKeys(edgeKeysFromEnvironment(process.env), { log: pino({ level: 'silent' }) });
app.addHook('onClose', () => keys.close());
await app.register(fastifySigv4, { keys, hosts: [HOST] });
app.get('/*', ({ sigv4 }) => ({ hello: sigv4.accessKeyId }));
const url = await app.listen({ host: '127.0.0.1', port: 0 });
process.once('SIGTERM', () => void app.close());
process.stdout.write(`${new URL(url).host}\n`);
