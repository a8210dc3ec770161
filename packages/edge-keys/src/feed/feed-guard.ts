import {
  denialsIn,
  type AccessKeyFacts,
  type Clock,
  type DenialOf,
  type EdgeIdentity,
  type FeedFollower,
  type Horizons,
  type Session,
} from '@sigv4-keyd/hop-protocol';
import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import { REASON_OF_ABSENCE } from '../reason-of-absence.js';

/** An access key on a day, in this edge's region and service. */
export interface GuardedScope {
  readonly accessKeyId: string;
  readonly date: ScopeDate;
  /** What came with its key; undefined while there is none. */
  readonly facts: AccessKeyFacts | undefined;
  /** Of temporary credentials: what is said of the access key that they were made of is said of them. */
  readonly session: Session | undefined;
}

export type FeedObjection = 'feed-stale' | (typeof REASON_OF_ABSENCE)[keyof typeof REASON_OF_ABSENCE];

/** What is to be said against using any key of a scope at this moment. Asked several times a request: it is cheap. */
export interface ScopeGuard {
  objectionTo(scope: GuardedScope): FeedObjection | undefined;
}

/** The guard of an edge: its region and service by its certificate, its own horizons. */
export function feedGuard(
  feed: Pick<FeedFollower, 'state'>,
  own: EdgeIdentity,
  { horizons, clock }: { readonly horizons: Horizons; readonly clock: Clock },
): ScopeGuard {
  const denialOf = denialsIn(feed, { region: own.region, service: own.service }, clock);
  return {
    objectionTo({ accessKeyId, date, facts, session }) {
      const known = facts ?? newest(accessKeyId);
      const denial = session ? denialOfSession(denialOf, date, known, session) : denialOf(date, known);
      // A statement denies for good, staleness until the next answer: who is told the first need not try again. What
      // is told of an access key may have changed since.
      if (denial === 'revoked') return 'scope-revoked';
      if (feed.state.freshness(clock.now(), horizons) === 'hard') return 'feed-stale';
      return denial && REASON_OF_ABSENCE[denial];
    },
  };
}

/**
 * A session is spared by `issuedBefore` for its own creation, as its token tells it, and not for that of the access key
 * that it was made of. A secret that was replaced there never signed for the session.
 */
function denialOfSession(
  denialOf: DenialOf,
  date: ScopeDate,
  facts: AccessKeyFacts,
  { parentAccessKeyId, createdAt }: Session,
): ReturnType<DenialOf> {
  return denialOf(date, { ...facts, createdAt }) ?? denialOf(date, { ...newest(parentAccessKeyId), createdAt });
}

/** An access key of which nothing is known yet may be a new one, which `issuedBefore` spares; the region tells. */
function newest(accessKeyId: string): AccessKeyFacts {
  return { accessKeyId, version: Number.POSITIVE_INFINITY, createdAt: Number.POSITIVE_INFINITY };
}
