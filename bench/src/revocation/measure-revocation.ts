import { setTimeout as pause } from 'node:timers/promises';
import { median, quantile } from '../distribution.js';
import { monotonicMs } from '../monotonic.js';
import { costsOf, type ProcessCosts } from '../process-costs.js';
import type { RevocationStack } from './revocation-stack.js';

export interface RevocationOptions {
  readonly edges: number;
  /** So many of them verify what they are told. */
  readonly verifying: number;
  readonly rounds: number;
  /** How long the beat is watched. */
  readonly secondsWatched: number;
}

export interface MeasuredRevocation {
  readonly edges: number;
  readonly verifying: number;
  /** Until the operator has the answer, milliseconds. */
  readonly answer: number;
  /** Until edges refuse, from the same moment: `keydctl revoke` is sent. */
  readonly p50: number;
  readonly p99: number;
  readonly last: number;
  /** Of one revocation, until the last edge refuses: CPU time, milliseconds. Edges have processors of their own. */
  readonly regionCpu: number;
  readonly crowdCpu: number;
  readonly beat: BeatCosts;
}

/** With nothing to tell. */
export interface BeatCosts {
  /** Of one core. */
  readonly regionShare: number;
  readonly edgeShare: number;
  /** Of all simulated edges together, who share a processor. */
  readonly crowdShare: number;
  /** On the way to an edge and back, an edge and second, TLS included. */
  readonly bytesDown: number;
  readonly bytesUp: number;
}

/** From `keydctl revoke` to refusal at the last of the edges, and what the beat costs. */
export async function measureRevocation(
  stack: RevocationStack,
  { edges, verifying, rounds, secondsWatched }: RevocationOptions,
): Promise<MeasuredRevocation> {
  const crowd = await stack.crowd(edges, verifying);
  try {
    const beat = await watchBeat({ stack, crowdPid: crowd.pid, edges, seconds: secondsWatched });
    const delays: number[] = [];
    const last: number[] = [];
    const answers: number[] = [];
    const regionCpu: number[] = [];
    const crowdCpu: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const { taken } = await crowd.watch();
      // Nobody listens any more when the operator gets no answer.
      taken.catch(() => undefined);
      const [ofRegion, ofCrowd] = [cpuMsSince(stack.region.pid), cpuMsSince(crowd.pid)];
      const sent = monotonicMs();
      await stack.revoke();
      answers.push(monotonicMs() - sent);
      const each = (await taken).map((at) => at - sent);
      regionCpu.push(ofRegion());
      crowdCpu.push(ofCrowd());
      delays.push(...each);
      last.push(each.reduce((one, other) => Math.max(one, other)));
    }
    const [p50, p99] = [quantile(delays, 0.5), quantile(delays, 0.99)];
    const delay = { answer: median(answers), p50, p99, last: median(last) };
    return { edges, verifying, ...delay, regionCpu: median(regionCpu), crowdCpu: median(crowdCpu), beat };
  } finally {
    await crowd.close();
  }
}

function cpuMsSince(pid: number): () => number {
  const before = costsOf(pid).cpuSeconds;
  return () => (costsOf(pid).cpuSeconds - before) * 1000;
}

async function watchBeat(watched: {
  readonly stack: RevocationStack;
  readonly crowdPid: number;
  readonly edges: number;
  readonly seconds: number;
}): Promise<BeatCosts> {
  const { stack, edges } = watched;
  const pids = [stack.region.pid, stack.edge.pid, watched.crowdPid];
  const before = pids.map(costsOf);
  const begun = monotonicMs();
  await pause(watched.seconds * 1000);
  const after = pids.map(costsOf);
  const seconds = (monotonicMs() - begun) / 1000;
  const [region, edge, crowd] = after.map((costs, n) => (name: keyof ProcessCosts): number => {
    return (costs[name] - (before[n]?.[name] ?? 0)) / seconds;
  });
  if (!region || !edge || !crowd) throw new Error('each process was looked at');
  return {
    regionShare: region('cpuSeconds'),
    edgeShare: edge('cpuSeconds'),
    crowdShare: crowd('cpuSeconds'),
    bytesDown: crowd('bytesRead') / edges,
    bytesUp: crowd('bytesWritten') / edges,
  };
}
