import { DAY_MS, LONGEST_PRESIGNED_SECONDS, startOfScopeDate } from '@sigv4-keyd/sigv4-core';
import { KeydError } from './errors.js';
import type { Rollup, RollupBatch } from './acceptances.js';

const MINUTE_MS = 60_000;

export interface RollupRule {
  /** Epoch milliseconds, by the clock of who takes the batch. */
  readonly now: number;
  /** The largest accepted difference between two clocks, seconds. */
  readonly clockSkewSeconds: number;
  /** Acceptances are kept for so many days; what is older is not taken any more. */
  readonly keptDays: number;
}

/** How long acceptances are kept where no setting says otherwise, days. */
export const ACCEPTANCES_KEPT_DAYS = 90;

/**
 * Refuses a batch whose roll-ups could not have happened, as 'malformed-request' with the first problem. A made-up time
 * must not fill days that no one will look at, nor hide a break-in by moving it.
 */
export function requirePlausible(batch: RollupBatch, rule: RollupRule): void {
  for (const [index, rollup] of batch.rollups.entries()) {
    const problem = problemOf(rollup, rule);
    if (problem === undefined) continue;
    throw new KeydError('malformed-request', { detail: `batch ${batch.id}, roll-up ${index}: ${problem}` });
  }
}

function problemOf(rollup: Rollup, { now, clockSkewSeconds, keptDays }: RollupRule): string | undefined {
  const minute = Date.parse(rollup.minute);
  const first = Date.parse(rollup.first);
  const last = Date.parse(rollup.last);
  const skew = clockSkewSeconds * 1000;
  if (minute % MINUTE_MS !== 0) return '`minute` must be the beginning of a minute';
  if (first < minute || first > last || last >= minute + MINUTE_MS) {
    return '`first` and `last` must lie in the minute, in this order';
  }
  if (first > now + skew) return 'the minute lies in the future; check the clock of the edge';
  if (minute < now - keptDays * DAY_MS) return `the minute is more than ${keptDays} days ago and no longer kept`;
  // The scope's date is the request's date: nothing of a day is accepted before it begins or after it is worth nothing.
  const day = startOfScopeDate(rollup.scopeDate);
  const life = rollup.mechanism === 'header' ? 0 : LONGEST_PRESIGNED_SECONDS * 1000;
  // Once for the client's clock and once for the difference between the edge's and ours.
  const isOfItsDay = last >= day - 2 * skew && first <= day + DAY_MS + life + 2 * skew;
  return isOfItsDay ? undefined : 'no signature of this scope date can have been accepted in this minute';
}
