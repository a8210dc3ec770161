import type { BenchOptions, BenchPart } from '../bench-part.js';
import type { Measured } from '../measured.js';
import { measureRevocation, type MeasuredRevocation } from './revocation.js';

/** Simulated edges: one figure a number. */
const COUNTS = { whole: [10, 100, 1_000], quick: [100], tiny: [2] } as const;
const SECONDS_WATCHED = { whole: 10, quick: 4, tiny: 0.1 } as const;
const ROUNDS = { whole: 5, quick: 3, tiny: 1 } as const;

export const part: BenchPart = {
  about: 'from the answer to `keydctl revoke` to refusal at the last of N simulated edges',
  goals: [],
  run: benchRevocation,
};

async function benchRevocation({ scale, edges = COUNTS[scale], portBase }: BenchOptions): Promise<Measured> {
  const done: MeasuredRevocation[] = [];
  for (const count of edges) {
    done.push(
      await measureRevocation({ count, rounds: ROUNDS[scale], secondsWatched: SECONDS_WATCHED[scale], portBase }),
    );
  }
  const table = {
    title:
      'Revocation: from the answer to `keydctl revoke` to refusal at the edges (ms), over real mTLS on this machine',
    head: ['edges', 'p50', 'p99', 'last edge', 'region, % of a core', 'µs CPU an edge and second'],
    rows: done.map(({ count, p50, p99, last, busy }) => [count, p50, p99, last, busy * 100, (busy / count) * 1e6]),
    notes: [],
  };
  const line = (name: string, of: (one: MeasuredRevocation) => number) => {
    return { name, points: done.map((one): [number, number] => [one.count, of(one)]) };
  };
  return {
    tables: [table],
    figures: {},
    plots: [
      {
        kind: 'lines',
        name: 'revocation-latency',
        title: 'From `keydctl revoke` returning to refusal at the edges',
        x: { label: 'edges', scale: 'logarithmic' },
        y: { label: 'ms', scale: 'logarithmic' },
        lines: [line('p50', ({ p50 }) => p50), line('p99', ({ p99 }) => p99)],
      },
    ],
  };
}
