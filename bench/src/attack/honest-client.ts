import { Agent, request as send } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { quantile } from '../distribution.js';
import { signedHeaders } from '../edge-client.js';
import { honestSettings, type HonestAnswer } from './messages.js';

/** A client that sends one request after another with a pause between them, for as long as each message says. */
const { port, ...client } = honestSettings.parse(JSON.parse(process.argv[2] ?? ''));
const EVERY_MS = 5;
const TARGET = '/bucket/key';

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

async function requestsFor(milliseconds: number): Promise<HonestAnswer> {
  const took: number[] = [];
  let failed = 0;
  const end = performance.now() + milliseconds;
  do {
    const begun = performance.now();
    if (!(await isServed())) failed += 1;
    took.push(performance.now() - begun);
    await pause(EVERY_MS);
  } while (performance.now() < end);
  return { requests: took.length, failed, p50: quantile(took, 0.5), p99: quantile(took, 0.99) };
}

function isServed(): Promise<boolean> {
  return new Promise((resolve) => {
    const request = send({ host: '127.0.0.1', port, path: TARGET, agent, headers: signedHeaders(TARGET, client) });
    request.once('response', (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode === 200));
    });
    request.once('error', () => resolve(false));
    request.end();
  });
}

process.on('message', (milliseconds: unknown) => {
  void requestsFor(Number(milliseconds)).then((answer) => process.send?.(answer));
});
process.once('disconnect', () => process.exit());
