import {
  FollowedSource,
  LookupBatches,
  MOST_KEYS_A_REQUEST,
  type Clock,
  type FeedLog,
  type FeedSource,
  type ServiceKeySource,
} from '@sigv4-keyd/hop-protocol';
import type { KService, ScopeDate } from '@sigv4-keyd/sigv4-core';

export interface SimulatedEdgeOptions {
  readonly region: ServiceKeySource;
  readonly feed: FeedSource;
  readonly clock: Clock;
  readonly random: () => number;
}

const QUIET: FeedLog = { info: () => undefined, warn: () => undefined, error: () => undefined };

/**
 * An edge as far as it asks for anything: the batches of misses with their pauses, and the follower of the feed, are
 * those of edge-verifier. Ten thousand tables of held keys would not fit beside each other; here a set is enough.
 */
export class SimulatedEdge {
  readonly #batches: LookupBatches<KService>;
  readonly #followed: FollowedSource;
  readonly #held = new Set<string>();

  constructor({ region, feed, clock, random }: SimulatedEdgeOptions) {
    this.#batches = new LookupBatches({
      clock,
      random,
      mostAtOnce: MOST_KEYS_A_REQUEST,
      fetch: (date, accessKeyIds) => region.issue({ date, accessKeyIds }),
    });
    this.#followed = new FollowedSource({
      source: feed,
      clock,
      random,
      log: QUIET,
      held: () => ({ version: 1, setHash: undefined }),
      take: () => Promise.reject(new Error('there is no news')),
    });
  }

  start(): void {
    this.#followed.start();
  }

  stop(): Promise<void> {
    return this.#followed.stop();
  }

  /** Whether a client's request with this access key is served. */
  async serves(date: ScopeDate, accessKeyId: string): Promise<boolean> {
    if (this.#held.has(accessKeyId)) return true;
    try {
      const finding = await this.#batches.ask(date, accessKeyId);
      if (typeof finding === 'string') return false;
      this.#held.add(accessKeyId);
      return true;
    } catch {
      return false;
    }
  }
}
