import type { BenchOptions, BenchPart } from '../bench-part.js';
import type { LinePlot, Measured, Table } from '../measured.js';
import { CrowdTooLarge } from './crowd-too-large.js';
import { measureRevocation, type MeasuredRevocation } from './measure-revocation.js';
import { RevocationStack } from './revocation-stack.js';

/** Simulated edges: one figure a number. */
const EDGES = { whole: [10, 100, 1_000, 10_000], quick: [10, 100], tiny: [2] } as const;
const SECONDS_WATCHED = { whole: 10, quick: 1, tiny: 0.1 } as const;
const ROUNDS = { whole: 5, quick: 2, tiny: 1 } as const;
/** Verifying takes a processor that real edges have for themselves. */
const MOST_VERIFYING = 100;

export const part: BenchPart = {
  about: 'from `keydctl revoke` to the last of N simulated edges, and what the beat costs',
  goals: [],
  run: benchRevocation,
};

async function benchRevocation({ scale, edges: counts = EDGES[scale], portBase }: BenchOptions): Promise<Measured> {
  const stack = await RevocationStack.start(portBase);
  try {
    const done: MeasuredRevocation[] = [];
    const lacking: string[] = [];
    const times = { rounds: ROUNDS[scale], secondsWatched: SECONDS_WATCHED[scale] };
    for (const edges of counts) {
      try {
        done.push(await measureRevocation(stack, { edges, verifying: Math.min(edges, MOST_VERIFYING), ...times }));
      } catch (error) {
        if (!(error instanceof CrowdTooLarge)) throw error;
        lacking.push(`NOT MEASURED: ${edges.toLocaleString('en')} edges: ${error.message}`);
      }
    }
    return {
      tables: [delays(done, lacking, stack.isPinned), beat(done)],
      figures: {},
      plots: done.length === 0 ? [] : [delaysPlot(done), beatPlot(done)],
    };
  } finally {
    await stack.close();
  }
}

function delays(done: readonly MeasuredRevocation[], lacking: readonly string[], isPinned: boolean): Table {
  return {
    title: 'Revocation: from the sending of `keydctl revoke` until an edge refuses, ms',
    head: [
      'edges',
      'of them verifying',
      'the operator is answered',
      ...['p50', 'p99', 'last edge (median)'],
      'CPU: region',
      'all simulated edges',
    ],
    rows: done.map(({ edges, verifying, answer, p50, p99, last, regionCpu, crowdCpu }) => {
      return [edges, verifying, answer, p50, p99, last, regionCpu, crowdCpu];
    }),
    notes: [
      'Simulated: the edges, in one process, each with a long poll over mutual TLS; eight share a certificate,',
      'and a connection for the beat. Those that do not verify take what they are told once they have read it.',
      isPinned
        ? 'The region has one core for itself; the master, PostgreSQL and all edges share the others.'
        : 'NOT PINNED: everybody shares all cores.',
      ...lacking,
    ],
  };
}

function beat(done: readonly MeasuredRevocation[]): Table {
  return {
    title: 'The beat: a beacon every 2 s, and the whole asked anew every 5 s, with nothing to tell',
    head: [
      'edges',
      'region, % of a core',
      'µs CPU an edge and second',
      'bytes down an edge and second',
      'bytes up',
      'one whole edge, % of a core',
      'all simulated edges, % of a core',
    ],
    rows: done.map(({ edges, beat: { regionShare, edgeShare, crowdShare, bytesDown, bytesUp } }) => {
      const shares = [edgeShare * 100, crowdShare * 100];
      return [edges, regionShare * 100, (regionShare / edges) * 1e6, bytesDown, bytesUp, ...shares];
    }),
    notes: ['The whole edge is edge-verifier without requests: all that it does then.'],
  };
}

function delaysPlot(done: readonly MeasuredRevocation[]): LinePlot {
  return {
    kind: 'lines',
    name: 'revocation-latency',
    title: 'From `keydctl revoke` to refusal at the edges',
    x: { label: 'edges', scale: 'logarithmic' },
    y: { label: 'ms', scale: 'logarithmic' },
    lines: [
      { name: 'p50', points: done.map(({ edges, p50 }) => [edges, p50]) },
      { name: 'p99', points: done.map(({ edges, p99 }) => [edges, p99]) },
      { name: 'last edge', points: done.map(({ edges, last }) => [edges, last]) },
    ],
  };
}

function beatPlot(done: readonly MeasuredRevocation[]): LinePlot {
  return {
    kind: 'lines',
    name: 'revocation-beat',
    title: 'What the beat takes of a core at region-keyd',
    x: { label: 'edges', scale: 'logarithmic' },
    y: { label: '%', scale: 'linear' },
    lines: [
      { name: 'region-keyd', points: done.map(({ edges, beat: { regionShare } }) => [edges, regionShare * 100]) },
    ],
  };
}
