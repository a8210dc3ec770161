/**
 * How old the newest news may be. Per edge; `softSeconds` is the smaller. A source that withholds all news keeps a
 * revoked scope in use for at most `hardSeconds` after the publication, and longer only by as much as this clock is
 * behind the publisher's, which the clock skew limits: beacons further ahead are not accepted in the first place.
 */
export interface Horizons {
  /** Older than this: alarm, and go on serving. */
  readonly softSeconds: number;
  /** Older than this: deny. */
  readonly hardSeconds: number;
}

export const DEFAULT_HORIZONS: Horizons = { softSeconds: 60, hardSeconds: 12 * 3600 };

/** `fresh`: serve. `soft`: serve and tell. `hard`: deny with `feed-stale`. */
export type Freshness = 'fresh' | 'soft' | 'hard';

/** The times of the newest beacon, epoch milliseconds. */
export interface BeaconTimes {
  readonly at: number;
  readonly expires: number;
}

/**
 * Judges the newest accepted beacon at `now` (epoch milliseconds); none is as bad as one too old. A beacon that expires
 * before the hard horizon ends it early. A clock behind the beacon by more than the skew is wrong, and its word on how
 * old anything is counts for nothing.
 */
export function freshnessOf(
  beacon: BeaconTimes | undefined,
  now: number,
  horizons: Horizons,
  clockSkewSeconds: number,
): Freshness {
  if (beacon === undefined) return 'hard';
  const age = now - beacon.at;
  // Each condition says what is still good: a NaN, from a broken clock or setting, then denies.
  const believable = age >= -clockSkewSeconds * 1000 && now < beacon.expires && age <= horizons.hardSeconds * 1000;
  if (!believable) return 'hard';
  return age <= horizons.softSeconds * 1000 ? 'fresh' : 'soft';
}
