import type { SignedBeacon } from './beacon.js';
import { FeedError } from './feed-problem.js';
import { isSameSet, type SetName } from './set-hash.js';

/** What a beacon is judged against. */
export interface BeaconContext {
  /** The newest one accepted so far. */
  readonly held: SignedBeacon | undefined;
  /** The set that came with it; or, when none came, the set that the held beacon names. */
  readonly set: SetName;
  /** Fixed once for the whole document; epoch milliseconds. */
  readonly now: number;
  readonly clockSkewSeconds: number;
}

/**
 * Judges a beacon whose signature was checked, in the order of The Update Framework's client workflow: version,
 * completeness, time. Returns the first objection.
 */
export function judgeBeacon(incoming: SignedBeacon, context: BeaconContext): FeedError | undefined {
  return (
    checkVersion(incoming, context.held) ?? checkCompleteness(incoming, context.set) ?? checkTime(incoming, context)
  );
}

function checkVersion(incoming: SignedBeacon, held: SignedBeacon | undefined): FeedError | undefined {
  if (held === undefined) return undefined;
  const { version } = incoming.beacon;
  if (version < held.beacon.version) {
    return new FeedError('version-backwards', `version ${version} after ${held.beacon.version}`);
  }
  if (version === held.beacon.version) {
    return incoming.digest === held.digest ? undefined : new FeedError('equivocation', `version ${version}`);
  }
  // Statements are forgotten by the time of beacons, so that time may not go backwards either.
  return incoming.at < held.at
    ? new FeedError('time-backwards', `${incoming.beacon.at} after ${held.beacon.at}`)
    : undefined;
}

function checkCompleteness({ beacon }: SignedBeacon, set: SetName): FeedError | undefined {
  if (isSameSet(beacon, set)) return undefined;
  return new FeedError(
    'incomplete-set',
    `the beacon names ${beacon.count} statements, ${set.count} valid ones are here`,
  );
}

function checkTime(incoming: SignedBeacon, { now, clockSkewSeconds }: BeaconContext): FeedError | undefined {
  // Each condition says what is accepted: a NaN, from a broken clock, then refuses.
  if (!(now < incoming.expires)) return new FeedError('expired', `at ${incoming.beacon.expires}`);
  if (!(incoming.at - now <= clockSkewSeconds * 1000))
    return new FeedError('from-the-future', `at ${incoming.beacon.at}`);
  return undefined;
}
