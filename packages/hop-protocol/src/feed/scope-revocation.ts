import type { RevocationLookup } from '@sigv4-keyd/revocation';
import type { Cancel } from '../clock.js';
import type { CachedKeySource } from '../cached-key-source.js';
import type { FeedFollower } from './feed-follower.js';
import type { FeedLog } from './feed-log.js';
import type { IsRevoked } from '../key-source.js';

/** Whose keys are asked about. Without a service, kRegion: only a statement over every service denies it. */
export interface KeyPlace {
  readonly region: string;
  readonly service?: string;
}

/** What a lookup needs of a follower. */
export interface KnownRevocations {
  readonly state: { readonly revocations: RevocationLookup };
}

/** Asks the feed of the moment, at each call. */
export function revokedIn(feed: KnownRevocations, place: KeyPlace): IsRevoked {
  // No service has the empty name, so that it matches the statements that name none.
  const { region, service = '' } = place;
  return (date, { accessKeyId, createdAt }) =>
    feed.state.revocations.find({ accessKeyId, createdAt, date, region, service }) !== undefined;
}

/**
 * Takes every key that a new statement hits out of memory; what was derived from it goes with it. The first thousands
 * go before anything else happens, and no key is used or kept meanwhile without being judged.
 */
export function wipeRevoked<Carried, Ready>(
  feed: FeedFollower,
  keys: CachedKeySource<Carried, Ready>,
  isRevoked: IsRevoked,
  log: FeedLog,
): Cancel {
  return feed.subscribe({
    onStatements: () => {
      void keys.purge(isRevoked).then((wiped) => {
        if (wiped === 0) return;
        log.info({ event: 'revoked-keys-wiped', wiped }, 'keys of revoked scopes were wiped from memory');
      });
    },
  });
}
