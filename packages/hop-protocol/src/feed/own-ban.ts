import type { Beacon } from '@sigv4-keyd/revocation';
import type { Cancel, Clock } from '../clock.js';
import type { CachedKeySource } from '../cached-key-source.js';
import type { DenialOf } from '../key-source.js';
import type { FeedFollower } from './feed-follower.js';
import type { FeedLog } from './feed-log.js';
import { denialsIn, type KeyPlace } from './key-denials.js';

/** Asks, at each call, whether the newest beacon names us among the banned. */
export function ownBanIn({ state }: Pick<FeedFollower, 'state'>, spiffeId: string): () => boolean {
  let judged: Beacon | undefined;
  let isBanned = false;
  return () => {
    const { beacon } = state;
    if (beacon !== judged) isBanned = beacon?.banned.includes(spiffeId) ?? false;
    judged = beacon;
    return isBanned;
  };
}

/** What speaks against keys of ours: that they are denied, or that we are banned ourselves. */
export interface OwnDenials {
  readonly denialOf: DenialOf;
  readonly isBanned: () => boolean;
}

/** Asks the feed of the moment, at each call. `spiffeId` is our own. */
export function ownDenialsIn(
  feed: Pick<FeedFollower, 'state'>,
  spiffeId: string,
  place: KeyPlace,
  clock: Pick<Clock, 'now'>,
): OwnDenials {
  const isBanned = ownBanIn(feed, spiffeId);
  const denialOf = denialsIn(feed, place, clock);
  return { isBanned, denialOf: (date, facts) => (isBanned() ? 'revoked' : denialOf(date, facts)) };
}

/**
 * Takes every key out of memory when we read that we are banned ourselves. The tier above gives us nothing any more.
 * Whoever has broken into us may keep what was here; what an honest process holds, in memory and on disk, is gone.
 */
export function wipeWhenBanned<Carried, Ready>(
  feed: FeedFollower,
  keys: CachedKeySource<Carried, Ready>,
  isBanned: () => boolean,
  log: FeedLog,
): Cancel {
  return feed.subscribe({
    onBeacon: () => {
      if (!isBanned()) return;
      void keys
        .purge(() => true)
        .then((wiped) => {
          if (wiped === 0) return;
          const line = { event: 'own-ban-keys-wiped', security: true, wiped };
          log.error(
            line,
            'this identity is banned: all of its keys were wiped; ask an operator (keydctl identity list)',
          );
        });
    },
  });
}
