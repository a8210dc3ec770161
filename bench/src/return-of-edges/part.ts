import type { BenchPart } from '../bench-part.js';
import type { Cell, LinePlot, Measured } from '../measured.js';
import type { SecondCounts } from './counts.js';
import { returnOfEdges, type Outage, type Return } from './return-of-edges.js';

const EDGES = { whole: 10_000, quick: 500, tiny: 5 } as const;
const TIMES = { outageSeconds: 60, afterSeconds: 60, accessKeys: 1_000, accessKeysOfAnEdge: 5, requestsPerSecond: 1 };

export const part: BenchPart = {
  about: 'what all edges of a region ask for that come up empty in an outage, on a virtual clock',
  goals: [],
  run: ({ scale, edges }) => benchReturn(edges?.[0] ?? EDGES[scale]),
};

/** The load on region and master while every edge of a region comes up empty in an outage, and when it is over. */
async function benchReturn(edges: number): Promise<Measured> {
  const done: { readonly outage: Outage; readonly back: Return }[] = [];
  for (const down of ['region', 'master'] as const) {
    const outage: Outage = { ...TIMES, edges, down, seed: 7 };
    done.push({ outage, back: await returnOfEdges(outage) });
  }
  const [first] = done;
  return { tables: [tableOf(edges, done)], figures: {}, plots: first ? [plotOf(edges, first.back)] : [] };
}

function tableOf(edges: number, done: readonly Parameters<typeof factsOf>[0][]): Measured['tables'][number] {
  const rows = done.map((one): Cell[] => {
    const { during, after, servedAgainAfterSeconds } = factsOf(one);
    const cell = ({ peak, total }: { readonly peak: number; readonly total: number }): string => `${peak} / ${total}`;
    return [
      one.outage.down,
      cell(during.atRegion),
      cell(during.atMaster),
      cell(after.atRegion),
      cell(after.feed),
      cell(after.atMaster),
      after.keysAtMaster,
      `${servedAgainAfterSeconds} s`,
    ];
  });
  return {
    title: `${edges} edges with nothing held, ${TIMES.outageSeconds} s of outage, simulated without TLS: requests, busiest second / in all`,
    head: ['down', 'region', 'master', 'back: region', 'feed', 'master', 'keys', 'all served'],
    rows,
    notes: [],
  };
}

function plotOf(edges: number, back: Return): LinePlot {
  const points = (counts: SecondCounts): [number, number][] => whole(back, counts).map((count, at) => [at, count]);
  return {
    kind: 'lines',
    name: 'return-of-edges',
    title: `${edges.toLocaleString('en')} edges come up empty; the region is back after 60 s`,
    x: { label: 'seconds since the edges came up', scale: 'linear' },
    y: { label: 'requests a second', scale: 'logarithmic' },
    lines: [
      { name: 'keys, at the region', points: points(back.tiers.atRegion.requests) },
      { name: 'keys, at the master', points: points(back.tiers.atMaster.requests) },
      { name: 'feed, at the region', points: points(back.tiers.feed) },
    ],
    mark: TIMES.outageSeconds,
  };
}

function factsOf({ outage, back }: { readonly outage: Outage; readonly back: Return }) {
  const { tiers, refused, seconds } = back;
  const over = outage.outageSeconds;
  const between = (counts: SecondCounts, from: number, to: number) => {
    return { peak: counts.peak(from, to), total: counts.total(from, to) };
  };
  const lastRefused = refused.all.findLastIndex((count) => count > 0);
  return {
    down: outage.down,
    edges: outage.edges,
    during: {
      atRegion: between(tiers.atRegion.requests, 0, over),
      atMaster: between(tiers.atMaster.requests, 0, over),
    },
    after: {
      atRegion: between(tiers.atRegion.requests, over, seconds),
      feed: between(tiers.feed, over, seconds),
      atMaster: between(tiers.atMaster.requests, over, seconds),
      keysAtMaster: tiers.atMaster.keys.total(over, seconds),
    },
    servedAgainAfterSeconds: Math.max(0, lastRefused + 1 - over),
  };
}

/** Without the second that has only begun. */
function whole({ seconds }: Return, counts: SecondCounts): readonly number[] {
  return counts.all.slice(0, seconds);
}
