import { request as send } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { CLIENT, signedHeaders } from '../edge-client.js';

/** Milliseconds since the process was started. */
export interface Served {
  readonly answeredMs: number;
  readonly servedMs: number;
}

const AGAIN_AFTER_MS = 2;
const TARGET = '/bucket/key';

/** Asks a server on loopback, a new connection each time, until it serves. `begun`: of performance.now. */
export async function untilServed(port: number, begun: number): Promise<Served> {
  let answeredMs: number | undefined;
  for (;;) {
    const status = await statusOf(port);
    const now = performance.now() - begun;
    if (status !== undefined) answeredMs ??= now;
    if (status === 200 && answeredMs !== undefined) return { answeredMs, servedMs: now };
    await pause(AGAIN_AFTER_MS);
  }
}

/** Undefined: nobody answers yet. */
function statusOf(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const request = send({ host: '127.0.0.1', port, path: TARGET, headers: signedHeaders(TARGET, CLIENT) });
    request.once('response', (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode));
    });
    request.once('error', () => resolve(undefined));
    request.end();
  });
}
