import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RevocationRequest } from '@sigv4-keyd/hop-protocol';
import { withMaster } from '@sigv4-keyd/keydctl';
import { RunningStack, type RunningFacts } from '@sigv4-keyd/local-stack';
import { scopeDateOf } from '@sigv4-keyd/sigv4-core';
import type { Point } from './curve.js';
import { quantile } from './distribution.js';
import { SimulatedEdges } from './simulated-edges.js';
import { printTable } from './table.js';

const REGION = 'us-east-1';
const ROUNDS = 5;
const BEATS_WATCHED_MS = 10_000;

/** Milliseconds from the answer to `keydctl revoke` until edges refuse, and what the beat costs the region. */
export async function benchRevocation(counts: readonly number[], portBase: number): Promise<readonly Point[]> {
  const rows: string[][] = [];
  const points: Point[] = [];
  for (const count of counts) {
    const stack = await RunningStack.start(portBase);
    try {
      const { facts } = stack;
      const edges = await SimulatedEdges.connect(facts, REGION, count);
      const region = facts.pids[`region-${REGION}`] ?? 0;
      const before = cpuSeconds(region);
      await new Promise((resolve) => setTimeout(resolve, BEATS_WATCHED_MS));
      const busy = (cpuSeconds(region) - before) / (BEATS_WATCHED_MS / 1000);
      const delays: number[] = [];
      const last: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const news = edges.nextStatement();
        await revoke(facts, round);
        const returned = performance.now();
        const taken = (await news).map((at) => Math.max(0, at - returned));
        delays.push(...taken);
        last.push(Math.max(...taken));
      }
      await edges.close();
      points.push({ edges: count, p50: quantile(delays, 0.5), p99: quantile(delays, 0.99) });
      rows.push([
        String(count),
        quantile(delays, 0.5).toFixed(1),
        quantile(delays, 0.99).toFixed(1),
        quantile(last, 0.5).toFixed(1),
        `${(busy * 100).toFixed(1)} %`,
        ((busy / count) * 1e6).toFixed(0),
      ]);
    } finally {
      await stack.stop();
    }
  }
  printTable(
    'Revocation: from the answer to `keydctl revoke` to refusal at the edges (ms), over real mTLS on this machine',
    ['edges', 'p50', 'p99', 'last edge', 'region, one core', 'µs CPU an edge and second'],
    rows,
  );
  return points;
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
