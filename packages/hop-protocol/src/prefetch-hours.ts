import { createHash } from 'node:crypto';
import { TOMORROW_FROM_MS } from '@sigv4-keyd/sigv4-core';

/** From when to when a tier's processes begin to fetch tomorrow's keys, milliseconds into the UTC day. */
export interface PrefetchHours {
  readonly from: number;
  readonly to: number;
}

const HOUR_MS = 3_600_000;

/** A process never begins at the very moment of the day before: who ran into others once does not every day. */
const JITTER_MS = 600_000;

/** Regions come first, so that they hold the keys that edges ask for. */
export const PREFETCH_HOURS = {
  region: { from: TOMORROW_FROM_MS, to: TOMORROW_FROM_MS + 2 * HOUR_MS },
  edge: { from: TOMORROW_FROM_MS + 2 * HOUR_MS, to: TOMORROW_FROM_MS + 6 * HOUR_MS },
} as const satisfies Readonly<Record<string, PrefetchHours>>;

/**
 * When a process begins, milliseconds into the UTC day: its identity chooses, so that thousands are spread evenly and a
 * restart does not move it, and chance moves it a little. `random` is from 0 up to 1.
 */
export function prefetchMoment({ from, to }: PrefetchHours, identity: string, random: number): number {
  const share = createHash('sha256').update(identity).digest().readUInt32BE(0) / 2 ** 32;
  return from + share * (to - from - JITTER_MS) + random * JITTER_MS;
}
