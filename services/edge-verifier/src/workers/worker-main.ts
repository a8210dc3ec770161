import { requireNoExposure, nodeOptions } from '@sigv4-keyd/service-skeleton';
import { Worker } from './worker.js';

// The edge's process decides when a worker ends. Signals may reach the whole group of processes.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
// Nobody hears revocations without it.
process.on('disconnect', () => process.exit(0));

requireNoExposure(nodeOptions());
const worker = new Worker(
  {
    send: (message) => process.send?.(message),
    onMessage: (listener) => void process.on('message', listener),
  },
  (exitCode) => process.exit(exitCode),
);
await worker.serve();
