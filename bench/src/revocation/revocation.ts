import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { RevocationRequest } from '@sigv4-keyd/hop-protocol';
import { withMaster } from '@sigv4-keyd/keydctl';
import { RunningStack, type RunningFacts } from '@sigv4-keyd/local-stack';
import { scopeDateOf } from '@sigv4-keyd/sigv4-core';
import { quantile } from '../distribution.js';
import { SimulatedEdges } from './simulated-edges.js';

const REGION = 'us-east-1';

export interface RevocationOptions {
  /** Edges. */
  readonly count: number;
  readonly rounds: number;
  /** How long the beat is watched. */
  readonly secondsWatched: number;
  readonly portBase: number;
}

/** Milliseconds, and the share of a core that the beat takes at the region. */
export interface MeasuredRevocation {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly last: number;
  readonly busy: number;
}

/** From the answer to `keydctl revoke` until edges refuse, and what the beat costs the region. */
export async function measureRevocation(options: RevocationOptions): Promise<MeasuredRevocation> {
  const { count, rounds, secondsWatched, portBase } = options;
  const stack = await RunningStack.start(portBase);
  try {
    const { facts } = stack;
    const edges = await SimulatedEdges.connect(facts, REGION, count);
    const region = facts.pids[`region-${REGION}`] ?? 0;
    const before = cpuSeconds(region);
    await pause(secondsWatched * 1000);
    const busy = (cpuSeconds(region) - before) / secondsWatched;
    const delays: number[] = [];
    const last: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const news = edges.nextStatement();
      await revoke(facts, round);
      const returned = performance.now();
      const taken = (await news).map((at) => Math.max(0, at - returned));
      delays.push(...taken);
      last.push(Math.max(...taken));
    }
    await edges.close();
    return { count, p50: quantile(delays, 0.5), p99: quantile(delays, 0.99), last: quantile(last, 0.5), busy };
  } finally {
    await stack.stop();
  }
}

async function revoke(facts: RunningFacts, round: number): Promise<void> {
  const files = {
    cert: join(facts.credentials, 'tls.crt'),
    key: join(facts.credentials, 'tls.key'),
    ca: join(facts.credentials, 'ca.crt'),
  };
  const today = scopeDateOf(Date.now());
  const request: RevocationRequest = {
    region: REGION,
    from: today,
    to: today,
    // Hits no access key of the stack: they were all created later.
    issuedBefore: new Date(round + 1).toISOString(),
    incident: 'BENCH',
    reason: 'measuring how long it takes',
  };
  await withMaster({ url: new URL(facts.master.url), files }, Date.now(), (master) => master.revoke(request));
}

/** Processor time of a process so far, from the kernel (proc(5), stat, in ticks of 10 ms). */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
