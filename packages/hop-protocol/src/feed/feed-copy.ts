import {
  FeedState,
  type Acceptance,
  type FeedDocument,
  type PinnedKeys,
  type RetentionRule,
} from '@sigv4-keyd/revocation';
import type { Clock } from '../clock.js';

export interface FeedCopyOptions {
  /** Of a follower: all that it believed at that moment. */
  readonly serialised: string;
  readonly keys: PinnedKeys;
  readonly rule: RetentionRule;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * What another process of the same tier believes of the feed. It asks no source: its follower hands the documents on.
 * Each is checked here as it was there, so that the pipe between the two need not be believed.
 */
export class FeedCopy {
  readonly state: FeedState;
  readonly #clock: Pick<Clock, 'now'>;

  private constructor(state: FeedState, clock: Pick<Clock, 'now'>) {
    this.state = state;
    this.#clock = clock;
  }

  /** Throws FeedError for what no follower wrote. */
  static async open({ serialised, keys, rule, clock }: FeedCopyOptions): Promise<FeedCopy> {
    const { state } = await FeedState.restore(serialised, keys, rule);
    return new FeedCopy(state, clock);
  }

  /** Never rejects for what a document holds. */
  take(document: FeedDocument): Promise<Acceptance> {
    return this.state.accept(document, this.#clock.now());
  }
}
