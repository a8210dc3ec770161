import type { Beacon, Cancel, FeedFollower } from '@sigv4-keyd/hop-protocol';

/** Whoever judges requests by a copy of the edge's feed. */
export interface FeedJudge {
  /** It judges by this version from now on, and holds no key that is denied by it. */
  confirm(version: number): void;
  /** It judges nothing any more. */
  leave(): void;
}

/**
 * How far the feed is in force in the whole edge: the newest beacon that everybody judges by who judges at all. This is
 * what an edge tells its region and its operators; what it merely has read is not in force yet.
 */
export class FeedInForce {
  readonly #follower: Pick<FeedFollower, 'state'>;
  readonly #confirmed = new Map<FeedJudge, number>();
  /** Newer than `#beacon`, in order; not confirmed by everybody yet. */
  #announced: Beacon[] = [];
  #beacon: Beacon | undefined;

  constructor(follower: Pick<FeedFollower, 'state'>) {
    this.#follower = follower;
    this.#beacon = follower.state.beacon;
  }

  get beacon(): Beacon | undefined {
    return this.#beacon;
  }

  /** Follows what the follower believes, until it is cancelled. */
  follow(follower: Pick<FeedFollower, 'subscribe'>): Cancel {
    return follower.subscribe({
      onBeacon: (beacon) => {
        this.#announced.push(beacon);
        this.#advance();
      },
    });
  }

  /** From now on nothing newer is in force without this judge, which begins with what the follower believes now. */
  join(): FeedJudge {
    const judge: FeedJudge = {
      confirm: (version) => {
        if (!this.#confirmed.has(judge)) return;
        this.#confirmed.set(judge, version);
        this.#advance();
      },
      leave: () => {
        this.#confirmed.delete(judge);
        this.#advance();
      },
    };
    this.#confirmed.set(judge, 0);
    return judge;
  }

  #advance(): void {
    // With nobody else who judges, it is the follower's own process that does, or nobody.
    if (this.#confirmed.size === 0) {
      this.#beacon = this.#follower.state.beacon;
      this.#announced = [];
      return;
    }
    const byAll = Math.min(...this.#confirmed.values());
    for (let next = this.#announced[0]; next && next.version <= byAll; next = this.#announced[0]) {
      this.#beacon = next;
      this.#announced.shift();
    }
  }
}
