import type { AccessKeyLookup, RevocationLookup } from '@sigv4-keyd/revocation';
import type { CachedKeySource } from '../cached-key-source.js';
import type { Cancel, Clock } from '../clock.js';
import type { DenialOf } from '../key-source.js';
import { accessKeyDenial } from './access-key-denial.js';
import type { FeedFollower } from './feed-follower.js';
import type { FeedLog } from './feed-log.js';

/**
 * Whose keys are asked about. Without a service, kRegion: only a statement over every service denies it. Without a
 * region, too, kDate: only one over every region does.
 */
export interface KeyPlace {
  readonly region?: string;
  readonly service?: string;
}

/** What a judgement needs of a follower. */
export interface KnownFeed {
  readonly state: { readonly revocations: RevocationLookup; readonly accessKeys: AccessKeyLookup };
}

/** Asks the feed of the moment, at each call. */
export function denialsIn(feed: KnownFeed, place: KeyPlace, clock: Pick<Clock, 'now'>): DenialOf {
  // Nothing has the empty name, so that it matches the statements that name none.
  const { region = '', service = '' } = place;
  return (date, facts) => {
    const { revocations, accessKeys } = feed.state;
    const { accessKeyId, createdAt } = facts;
    if (revocations.find({ accessKeyId, createdAt, date, region, service }) !== undefined) return 'revoked';
    return accessKeyDenial(facts, accessKeys.get(accessKeyId), place, clock.now());
  };
}

/**
 * Takes every key that a new statement or a change of its access key denies out of memory; what was derived from it
 * goes with it. The first hundreds go before anything else happens, and no key is used or kept meanwhile without being
 * judged. An access key that may be good now is asked for anew, whatever was remembered of it.
 */
export function wipeDenied<Carried, Ready>(
  feed: FeedFollower,
  keys: CachedKeySource<Carried, Ready>,
  denialOf: DenialOf,
  log: FeedLog,
): Cancel {
  const tell = (wiped: number): void => {
    if (wiped > 0) log.info({ event: 'denied-keys-wiped', wiped }, 'keys that the feed denies were wiped from memory');
  };
  return feed.subscribe({
    onStatements: () => void keys.purge((date, facts) => denialOf(date, facts) !== undefined).then(tell),
    onAccessKeys: (changes) => void keys.judgeAgain(changes.map(({ accessKeyId }) => accessKeyId)).then(tell),
  });
}
