import { writeFileSync } from 'node:fs';
import { printTable } from '../table.js';
import type { SecondCounts } from './counts.js';
import { drawing } from './drawing.js';
import { returnOfEdges, type Outage, type Return } from './return-of-edges.js';

export interface BenchReturnOptions {
  readonly edges: number;
  /** Where the drawing goes. */
  readonly svg: string | undefined;
  readonly asJson: boolean;
}

const TIMES = { outageSeconds: 60, afterSeconds: 60, accessKeys: 1_000, accessKeysOfAnEdge: 5, requestsPerSecond: 1 };

/** The load on region and master while every edge of a region comes up empty in an outage, and when it is over. */
export async function benchReturn({ edges, svg, asJson }: BenchReturnOptions): Promise<void> {
  const outages = (['region', 'master'] as const).map((down): Outage => ({ ...TIMES, edges, down, seed: 7 }));
  const measured: { readonly outage: Outage; readonly back: Return }[] = [];
  for (const outage of outages) measured.push({ outage, back: await returnOfEdges(outage) });
  if (asJson) process.stdout.write(`${JSON.stringify(measured.map(factsOf))}\n`);
  else print(edges, measured);
  const [first] = measured;
  if (svg === undefined || !first) return;
  const { tiers } = first.back;
  const title = `${edges.toLocaleString('en-GB')} edges come up empty; the region is back after 60 s`;
  const lines = [
    { name: 'keys, at the region', colour: '#26c', counts: whole(first.back, tiers.atRegion.requests) },
    { name: 'feed, at the region', colour: '#2a7', counts: whole(first.back, tiers.feed) },
    { name: 'keys, at the master', colour: '#c33', counts: whole(first.back, tiers.atMaster.requests) },
  ];
  writeFileSync(svg, drawing({ title, lines, returnsAt: TIMES.outageSeconds }));
  if (!asJson) process.stdout.write(`\nThe region's outage is drawn in ${svg}\n`);
}

function print(edges: number, measured: Parameters<typeof factsOf>[0][]): void {
  const rows = measured.map((one) => {
    const { during, after, servedAgainAfterSeconds } = factsOf(one);
    const cell = ({ peak, total }: { readonly peak: number; readonly total: number }): string => `${peak} / ${total}`;
    return [
      one.outage.down,
      cell(during.atRegion),
      cell(during.atMaster),
      cell(after.atRegion),
      cell(after.feed),
      cell(after.atMaster),
      String(after.keysAtMaster),
      `${servedAgainAfterSeconds} s`,
    ];
  });
  printTable(
    `${edges} edges with nothing held, ${TIMES.outageSeconds} s of outage, simulated without TLS: requests, busiest second / in all`,
    ['down', 'region', 'master', 'back: region', 'feed', 'master', 'keys', 'all served'],
    rows,
  );
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
