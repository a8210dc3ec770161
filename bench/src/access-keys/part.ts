import { FeedState } from '@sigv4-keyd/revocation';
import type { BenchPart } from '../bench-part.js';
import { figureOf } from '../distribution.js';
import type { Cell, Measured } from '../measured.js';
import { MadeUpFeed, madeUpChange } from './made-up-feed.js';

const COUNTS = { whole: [0, 1_000, 10_000, 100_000], quick: [0, 10_000], tiny: [0, 10] } as const;
const LOOKUPS = { whole: 1_000_000, quick: 100_000, tiny: 100 } as const;
const ROUNDS = 9;
const CHANGE = 90_000;

export const part: BenchPart = {
  about: 'what changes of access keys cost those who follow the feed',
  goals: [],
  run: ({ scale }) => benchChanges(COUNTS[scale], LOOKUPS[scale]),
};

/** No network: the cost of the feed on the way is its size. */
async function benchChanges(counts: readonly number[], lookups: number): Promise<Measured> {
  const now = Date.now();
  const feed = await MadeUpFeed.create(now);
  const rows: Cell[][] = [];
  for (const count of counts) rows.push(await costOf(count, { feed, now, lookups }));
  const table = {
    title: 'Changes of access keys in the feed, at one who follows it',
    head: ['changes', 'pages', 'feed, MB', 'first, CPU ms', 'one more, CPU ms', 'ns a lookup'],
    rows,
    notes: [],
  };
  return { tables: [table], figures: {}, plots: [] };
}

async function costOf(
  count: number,
  { feed, now, lookups }: { readonly feed: MadeUpFeed; readonly now: number; readonly lookups: number },
): Promise<Cell[]> {
  const pages = await feed.pagesOf(Array.from({ length: count }, (_, index) => madeUpChange(index, CHANGE)));
  const whole = await feed.documentOf(pages);
  const state = FeedState.empty(feed.pinned, { longestPresignedSeconds: 604_800, clockSkewSeconds: 900 });
  const first = await cpuOf(() => state.accept(whole, now));
  const further: number[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const more = await feed.pagesOf([madeUpChange(1_000_000 + round, CHANGE + round)]);
    const next = await feed.documentOf([...pages, ...more]);
    further.push(await cpuOf(() => state.accept(next, now)));
  }
  if (state.accessKeys.size < count) throw new Error('not all changes were accepted');
  const megabytes = JSON.stringify(whole).length / 1e6;
  return [count, pages.length, megabytes, first, figureOf(further), nanosecondsALookup(state, lookups)];
}

/** CPU milliseconds of this process, all threads. */
async function cpuOf(task: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await task();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function nanosecondsALookup(state: FeedState, lookups: number): number {
  const others = Array.from({ length: 1_000 }, (_, index) => `AKIAGOOD${String(index).padStart(12, '0')}`);
  const begun = performance.now();
  let known = 0;
  for (let index = 0; index < lookups; index += 1) {
    if (state.accessKeys.get(others[(index * 7919) % others.length] ?? '')) known += 1;
  }
  if (known > 0) throw new Error('what was never changed was found');
  return ((performance.now() - begun) * 1e6) / lookups;
}
