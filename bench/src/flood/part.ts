import { once } from 'node:events';
import { Agent, request as send } from 'node:http';
import { Worker } from 'node:worker_threads';
import { RunningStack } from '@sigv4-keyd/local-stack';
import { EMPTY_BODY_SHA256, signRequest, type Credentials } from '@sigv4-keyd/sigv4-core';
import { z } from 'zod';
import { quantile } from '../distribution.js';
import type { BenchOptions, BenchPart } from '../bench-part.js';
import type { Measured } from '../measured.js';

/** How long is measured without, and again with the flood. */
const SECONDS = { whole: 15, quick: 3, tiny: 0.05 } as const;
const SCOPE = { region: 'us-east-1', service: 's3' };
/** Requests that the flooding client has under way. */
const TOGETHER = 64;
/** Honest requests come one after another, with so long between them. */
const EVERY_MS = 5;

export const part: BenchPart = {
  about: 'honest requests at an edge without and with a client that makes up access keys at full speed',
  goals: [],
  run: benchFlood,
};

async function benchFlood({ scale, portBase }: BenchOptions): Promise<Measured> {
  const seconds = SECONDS[scale];
  const stack = await RunningStack.start(portBase);
  try {
    const { host } = new URL(stack.edge(SCOPE.region, SCOPE.service));
    const measure = (): Promise<readonly number[]> => honestLatencies(host, stack.facts, seconds);
    // The first ones fetch the key and warm up the code.
    await honestLatencies(host, stack.facts, Math.min(1, seconds));
    const calm = await measure();
    const flood = new Worker(new URL('flooding-client.js', import.meta.url), {
      workerData: { host, ...SCOPE, together: TOGETHER },
    });
    const flooded = await measure();
    const answers = await answersOf(flood);
    await flood.terminate();
    return told({ seconds, without: factsOf(calm), with: factsOf(flooded), flood: answers });
  } finally {
    await stack.stop();
  }
}

interface Facts {
  readonly seconds: number;
  readonly without: Latencies;
  readonly with: Latencies;
  readonly flood: Readonly<Record<string, number>>;
}

interface Latencies {
  readonly requests: number;
  readonly p50: number;
  readonly p99: number;
}

function told({ seconds, without, with: flooded, flood }: Facts): Measured {
  const row = (name: string, { requests, p50, p99 }: Latencies) => [name, requests, p50, p99];
  const sent = Object.values(flood).reduce((sum, count) => sum + count, 0);
  const answers = Object.entries(flood).map(([reason, count]) => `${count} ${reason}`);
  const table = {
    title: 'Honest requests at an edge of the stack of `npm start`, all of it and the clients on this machine (ms)',
    head: ['', 'requests', 'p50', 'p99'],
    rows: [row('without a flood', without), row('with a flood', flooded)],
    notes: [
      `The flood: ${Math.round(sent / seconds)} requests a second, ${TOGETHER} at a time, every access key another: ` +
        `${answers.join(', ')}.`,
      'Only those that are unknown were asked for above; the others were not.',
    ],
  };
  return { tables: [table], figures: {}, plots: [] };
}

function factsOf(latencies: readonly number[]): Latencies {
  return { requests: latencies.length, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) };
}

async function answersOf(flood: Worker): Promise<Readonly<Record<string, number>>> {
  const answer = once(flood, 'message');
  flood.postMessage('answers');
  const [answers] = z.tuple([z.record(z.string(), z.number())]).parse(await answer);
  return answers;
}

async function honestLatencies(host: string, credentials: Credentials, seconds: number): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const latencies: number[] = [];
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    latencies.push(await latencyOf(host, credentials, agent));
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  agent.destroy();
  return latencies;
}

function latencyOf(host: string, credentials: Credentials, agent: Agent): Promise<number> {
  const unsigned = { method: 'GET', target: '/bucket/key', headers: [['host', host]] as const };
  const payload = { kind: 'exact', sha256: EMPTY_BODY_SHA256 } as const;
  const { headers } = signRequest(unsigned, credentials, { ...SCOPE, now: Date.now(), payload });
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const request = send(`http://${host}/bucket/key`, { headers: { host, ...Object.fromEntries(headers) }, agent });
    request.once('response', (answer) => {
      answer.resume();
      answer.once('end', () => {
        if (answer.statusCode === 200) resolve(performance.now() - start);
        else reject(new Error(`an honest request was refused: ${String(answer.headers['x-keyd-reason'])}`));
      });
    });
    request.once('error', reject);
    request.end();
  });
}
