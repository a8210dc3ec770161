import { scopeDateOf } from '@sigv4-keyd/sigv4-core';
import type { BenchOptions, BenchPart } from '../bench-part.js';
import { atLeast, atMost } from '../goals.js';
import type { Measured } from '../measured.js';
import { interleaved } from '../verification/interleaved.js';
import { derivations, IN_BULK } from './derivations.js';
import { oneHop } from './one-hop.js';

const KEYS = { whole: 1_000_000, quick: 100_000, tiny: 500 } as const;
/** Of each way. */
const MILLISECONDS = { whole: 2_500, quick: 250, tiny: 5 } as const;
/** What the goal is of: fewer keys come sooner, and that says nothing. */
const KEYS_OF_THE_GOAL = 1_000_000;

const DERIVED = 'kDate and kRegion of access keys, on one core';
const HOP = 'a million keys over one hop, from memory';
const STALL = 'no stall of the event loop on that hop';
const BYTES = 'a key and day in the table of a region or an edge';

export const part: BenchPart = {
  about: 'derivation, a rung at a time and a day at a time; a day over one hop, from memory',
  goals: [
    atLeast(600_000, 'a second', DERIVED),
    atMost(0.5, 's', HOP),
    atMost(10, 'ms', STALL),
    atMost(64, 'bytes', BYTES),
  ],
  run: benchDerivation,
};

async function benchDerivation({ scale, keys = KEYS[scale] }: BenchOptions): Promise<Measured> {
  const date = scopeDateOf(Date.now());
  const costs = await interleaved(await derivations(date), new Map(), MILLISECONDS[scale]);
  const hop = await oneHop(date, keys);
  const inBulk = costs.get(IN_BULK)?.median ?? Number.NaN;
  const tooFew = { notMeasured: `only ${keys.toLocaleString('en')} keys: leave out --quick and --keys` };
  return {
    tables: [
      {
        title: 'Derivation, CPU time',
        head: ['', 'µs', 'a second a core'],
        rows: [...costs].map(([name, cost]) => [name, cost, 1e6 / cost.median]),
        notes: ['Each way ends with 32 bytes that can be overwritten; all but the naive ones leave no rung behind.'],
      },
      {
        title: `${keys.toLocaleString('en')} keys over one hop, from memory`,
        head: ['', ''],
        rows: [
          ['seconds, both ends on one core', hop.seconds],
          ['CPU time a key, both ends, µs', hop.processorMicrosecondsAKey],
          ['longest stall, ms of CPU time', hop.longestStallMs],
          ['bytes a key in the table', hop.bytesAKey],
        ],
        notes: ['Sealed pages, checked and held. Records, TLS and the disk are in the part rollover.'],
      },
    ],
    figures: {
      [DERIVED]: 1e6 / inBulk,
      [HOP]: keys >= KEYS_OF_THE_GOAL ? hop.seconds : tooFew,
      [STALL]: hop.longestStallMs,
      [BYTES]: keys >= KEYS_OF_THE_GOAL ? hop.bytesAKey : tooFew,
    },
    plots: [],
  };
}
