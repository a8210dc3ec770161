import type { FeedDocument } from '@sigv4-keyd/revocation';

/** What the asker believes already: the newest beacon that it accepted. */
export interface HeldFeed {
  /** 0 for none. */
  readonly version: number;
  /** The set that this beacon names: where it is still the one, the answer may leave the statements out. */
  readonly setHash: string | undefined;
}

/**
 * Whoever brings the feed: the tier above, another region, a file host. None of them is trusted, only the pinned keys.
 */
export interface FeedSource {
  /** For logs and status. */
  readonly name: string;
  /** Whether it can hold a request back until there is news; one that cannot is asked on the beat alone. */
  readonly waits: boolean;
  /**
   * The document, or undefined when there was nothing newer within `waitSeconds`. With 0, the present state at once.
   * Rejects when there is no answer of the right form, or when `signal` is aborted.
   */
  fetch(held: HeldFeed, waitSeconds: number, signal: AbortSignal): Promise<FeedDocument | undefined>;
}
