import { REPORT_EVERY_MS, type TierRow } from '@sigv4-keyd/hop-protocol';

/** A tier that missed this many reports is called silent. */
const MISSED_REPORTS = 4;

/** `heardAt`: when its last report came, as an instant. */
export function tierState(heardAt: string | undefined, now: number): TierRow['state'] {
  if (heardAt === undefined) return 'unknown';
  return now - Date.parse(heardAt) <= MISSED_REPORTS * REPORT_EVERY_MS ? 'up' : 'silent';
}

export function isUp(heardAt: string | undefined, now: number): boolean {
  return tierState(heardAt, now) === 'up';
}
