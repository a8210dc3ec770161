import { addDays, DAY_MS, scopeDateOf, startOfScopeDate, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import { z } from 'zod';

const count = z.number().int().nonnegative();

/** Every number that tells how a tier's keys are: for its status, its report upwards, and metrics. */
export const keyGauges = z.object({
  /** Seconds that this tier can go on with nobody above it, for all access keys in use. */
  autonomySeconds: count,
  daysHeld: count,
  keysHeld: count,
  /** Access keys that fit on each day. */
  mostKeysADay: count,
  /** Bytes that held keys take. */
  memoryBytes: count,
  /** Access keys in use whose key of tomorrow could be held and is not, and for how long there have been such. */
  prefetchLag: z.object({ accessKeys: count, seconds: count }),
  /** Since the start, in access keys. */
  misses: z.object({
    /** Not held, and asked for. */
    asked: count,
    /** Asked for, and there is none. */
    absent: count,
    /** Not asked for, since too many that do not exist were. */
    refused: count,
    /** Asked for in vain: the tier above could not answer. */
    failed: count,
  }),
});

export type KeyGauges = z.infer<typeof keyGauges>;
export type MissCounts = KeyGauges['misses'];

export interface Autonomy {
  /** Epoch milliseconds, as all instants here. */
  readonly now: number;
  /** Whether any key of the day is held. */
  readonly holds: (date: ScopeDate) => boolean;
  /** The newest day whose keys of all access keys in use were fetched ahead. */
  readonly fetchedAhead: ScopeDate | undefined;
  /** When silence about revocations ends the service; absent: never. */
  readonly silenceEndsAt?: number;
}

/** Seconds until the keys in use run out, or until silence about revocations ends the service, whichever is first. */
export function autonomySeconds({ now, holds, fetchedAhead, silenceEndsAt = Infinity }: Autonomy): number {
  const today = scopeDateOf(now);
  if (!holds(today)) return 0;
  const tomorrow = addDays(today, 1);
  const keysEndAt = startOfScopeDate(tomorrow) + (fetchedAhead === tomorrow && holds(tomorrow) ? DAY_MS : 0);
  return Math.max(0, Math.floor((Math.min(keysEndAt, silenceEndsAt) - now) / 1000));
}
