import type { Clock, EdgeIdentity, FeedFollower, Horizons } from '@sigv4-keyd/hop-protocol';
import type { ScopeDate } from '@sigv4-keyd/sigv4-core';

/** An access key on a day, in this edge's region and service. */
export interface GuardedScope {
  readonly accessKeyId: string;
  readonly date: ScopeDate;
  /** Epoch milliseconds; undefined while it is not known. */
  readonly createdAt: number | undefined;
}

export type FeedObjection = 'scope-revoked' | 'feed-stale';

/** What the feed says against using any key of a scope at this moment. Asked several times a request: it is cheap. */
export interface ScopeGuard {
  objectionTo(scope: GuardedScope): FeedObjection | undefined;
}

/** The guard of an edge: its region and service by its certificate, its own horizons. */
export function feedGuard(
  feed: Pick<FeedFollower, 'state'>,
  { region, service }: EdgeIdentity,
  { horizons, clock }: { readonly horizons: Horizons; readonly clock: Clock },
): ScopeGuard {
  return {
    objectionTo({ accessKeyId, date, createdAt }) {
      // An access key of which nothing is known yet may be a new one, which `issuedBefore` spares; the region tells.
      const scope = { accessKeyId, date, region, service, createdAt: createdAt ?? Number.POSITIVE_INFINITY };
      // A statement denies for good, staleness until the next answer: who is told the first need not try again.
      if (feed.state.revocations.find(scope) !== undefined) return 'scope-revoked';
      return feed.state.freshness(clock.now(), horizons) === 'hard' ? 'feed-stale' : undefined;
    },
  };
}
