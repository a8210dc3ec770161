import type { BenchOptions, BenchPart } from '../bench-part.js';
import { atMost } from '../goals.js';
import type { Cell, Measured } from '../measured.js';
import { naiveWay } from './naive-way.js';
import { RolloverStack } from './rollover-stack.js';
import { streamedWay } from './streamed-way.js';
import type { Rollover, WayMeasured } from './way.js';

const KEYS = { whole: 1_000_000, quick: 5_000, tiny: 50 } as const;
const EDGES = { whole: 2, quick: 1, tiny: 1 } as const;
/** What the goal is of: fewer keys are ready sooner, and that says nothing. */
const KEYS_OF_THE_GOAL = 1_000_000;

const READY = 'a million keys from the database to edges ready to verify';
const BYTES = 'a key and day at region and edge';

export const part: BenchPart = {
  about: 'the keys of a day on their way down, from PostgreSQL to the last edge',
  goals: [atMost(15, 's', READY), atMost(64, 'bytes', BYTES)],
  run: benchRollover,
};

/** The keys of a day for every access key: as streams, and as one JSON document a hop. */
async function benchRollover({
  scale,
  keys = KEYS[scale],
  edges = [EDGES[scale]],
  portBase,
}: BenchOptions): Promise<Measured> {
  const rollover = { keys, edges: edges[0] ?? EDGES[scale] };
  const stack = await RolloverStack.create(keys, portBase);
  try {
    const above = await stack.master();
    const streamed = await streamedWay(stack, above, rollover);
    await stack.stop(above.master);
    // What no goal is of is left out where it is to be quick.
    const naive = scale === 'quick' ? undefined : await naiveWay(stack, rollover);
    return told(rollover, { streamed, naive });
  } finally {
    await stack.close();
  }
}

function told(
  { keys, edges }: Rollover,
  { streamed, naive }: { readonly streamed: WayMeasured; readonly naive: WayMeasured | undefined },
): Measured {
  const lines: readonly (readonly [string, (way: WayMeasured) => Cell])[] = [
    ['keys a second, master to region', (way) => keys / way.masterToRegion],
    ['keys a second, region to an edge', (way) => keys / way.regionToEdge],
    ['until the last edge holds all, s', (way) => way.untilLastEdge],
    ['memory a key at the region, bytes', (way) => way.region.bytesAKey],
    ['memory a key at an edge, bytes', (way) => way.edge.bytesAKey],
    ['processor time a key at the master, µs', (way) => way.master.processorMicrosecondsAKey],
    [`… at the region, for ${edges} edges, µs`, (way) => way.region.processorMicrosecondsAKey],
    ['… at an edge, µs', (way) => way.edge.processorMicrosecondsAKey],
    ['longest stall of the master, ms', (way) => way.master.longestStallMs],
    ['longest stall of the region, ms', (way) => way.region.longestStallMs],
    ['longest stall of an edge, ms', (way) => way.edge.longestStallMs],
    ['most memory of the master, MiB', (way) => mib(way.master.peakBytes)],
    ['most memory of the region, MiB', (way) => mib(way.region.peakBytes)],
    ['most memory of an edge, MiB', (way) => mib(way.edge.peakBytes)],
  ];
  const isOfTheGoal = keys >= KEYS_OF_THE_GOAL;
  const tooFew = { notMeasured: `only ${keys.toLocaleString('en')} keys: leave out --quick and --keys` };
  const { untilLastEdge, region, edge } = streamed;
  return {
    tables: [
      {
        title: `Rollover: a day of ${keys.toLocaleString('en')} access keys, over real mTLS and PostgreSQL, ${edges} edges`,
        head: ['', 'streamed, recorded, flat', 'one JSON document, a Map of objects'],
        rows: lines.map(([name, of]) => [name, of(streamed), naive ? of(naive) : 'not with --quick']),
        notes: [],
      },
    ],
    figures: {
      [READY]: isOfTheGoal ? untilLastEdge : tooFew,
      [BYTES]: isOfTheGoal ? Math.max(region.bytesAKey, edge.bytesAKey) : tooFew,
    },
    plots: [],
  };
}

function mib(bytes: number): number {
  return bytes / 1024 ** 2;
}
