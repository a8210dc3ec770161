import type { Cancel, FeedDocument, FeedFollower } from '@sigv4-keyd/hop-protocol';
import type { Algorithm } from '@sigv4-keyd/sigv4-core';
import type { TakenCounts } from '../acceptances/acceptance-counts.js';
import type { FeedInForce, FeedJudge } from './feed-in-force.js';
import type { SharedRung } from './shared-rung.js';

/**
 * What further processes verify with that belong to the same edge. The edge alone asks its region, follows the feed and
 * reports upwards; they borrow keys that are in use, judge by a copy of the feed, and hand in what they counted.
 */
export interface SharedKeys {
  readonly rungs: Readonly<Record<Algorithm, SharedRung>>;
  readonly feed: SharedFeed;
  /** Takes what another process has counted. Once: it must not be handed in again. */
  count(taken: TakenCounts): void;
}

export interface SharedFeed {
  /** All that is believed now, for a new copy. */
  serialise(): string;
  /** The newest version that is believed, in force or not; 0 before the first. */
  readonly version: number;
  /** Told of each document that changes what is believed, right after it did. A copy needs all of them, in order. */
  onNews(listener: (document: FeedDocument) => void): Cancel;
  /** To be called in the same turn as `serialise`. */
  join(): FeedJudge;
}

export function sharedFeed(follower: FeedFollower, inForce: FeedInForce): SharedFeed {
  return {
    serialise: () => follower.serialise(),
    get version() {
      return follower.state.beacon?.version ?? 0;
    },
    onNews(listener) {
      let toldSet = follower.state.beacon?.setHash;
      return follower.subscribe({
        // They deny from the moment that they are seen, whatever beacon they came with.
        onStatements: (statements) =>
          listener({ beacon: follower.state.document?.beacon ?? '', statements: statements.map(({ jws }) => jws) }),
        onBeacon: ({ setHash }) => {
          const { document } = follower.state;
          if (document) listener(setHash === toldSet ? { beacon: document.beacon } : document);
          toldSet = setHash;
        },
      });
    },
    join: () => inForce.join(),
  };
}
