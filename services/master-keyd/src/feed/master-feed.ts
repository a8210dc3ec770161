import { KeydError, type Cancel, type Identity, spiffeIdOf } from '@sigv4-keyd/hop-protocol';
import type { FeedBoard, Logger } from '@sigv4-keyd/service-skeleton';
import type { Pool } from 'pg';
import { inTransaction, type Transaction } from '../database/transaction.js';
import type { BehindPeers, LeftBehind } from './behind-peers.js';
import { readNewest, signNext, type PublishedFeed, type PublishingRule } from './published-feed.js';

export interface MasterFeedOptions {
  readonly pool: Pool;
  readonly rule: PublishingRule;
  readonly now: () => number;
  readonly log: Logger;
  readonly behindPeers: BehindPeers;
}

/** The feed as this master serves it: the newest document in memory, and the one way in which it changes. */
export class MasterFeed implements FeedBoard {
  readonly #options: MasterFeedOptions;
  readonly #listeners = new Set<() => void>();
  #held: PublishedFeed | undefined;
  /** What the next one may be built on; undefined: everything is to be read anew. */
  #trusted: PublishedFeed | undefined;
  #leftBehind: LeftBehind | undefined;

  constructor(options: MasterFeedOptions) {
    this.#options = options;
  }

  /** Undefined before the first beacon, and while the database is behind what regions have seen. */
  get newest(): PublishedFeed | undefined {
    return this.#leftBehind ? undefined : this.#held;
  }

  /** What is known, to be served or not. */
  get held(): PublishedFeed | undefined {
    return this.#held;
  }

  /** Set while the database is behind what regions have seen: it was restored from a backup. */
  get leftBehind(): LeftBehind | undefined {
    return this.#leftBehind;
  }

  onNews(listener: () => void): Cancel {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Why an identity is not served, for the log. */
  refusalOf(identity: Identity): string | undefined {
    return this.#held?.banned.has(spiffeIdOf(identity)) ? 'banned' : undefined;
  }

  /** Throws KeydError 'not-ready' while the database is behind what regions have seen. */
  requireUpToDate(): void {
    if (this.#leftBehind) throw new KeydError('not-ready', { detail: this.#leftBehind.sentence });
  }

  /**
   * Makes a change and publishes it: the change and the beacon that names it become durable together, and are served
   * here before this resolves. Without `change`, the next beacon over what there is.
   */
  async publish<Result>(change: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    this.requireUpToDate();
    return this.publishPast(change);
  }

  /** For the change that brings a restored database up to date. */
  async publishPast<Result>(change: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    const { pool, rule, now } = this.#options;
    const { result, next } = await inTransaction(pool, async (transaction) => {
      const result = await change(transaction);
      const next = await signNext(transaction, this.#trusted, now(), rule);
      // Only a database that was set back counts from below what was served.
      if (next.version <= (this.#held?.version ?? 0)) throw new KeydError('not-ready', { detail: 'database set back' });
      return { result, next };
    });
    this.#adopt(next);
    return result;
  }

  /** Takes over what another master has published. */
  async refresh(): Promise<void> {
    const { pool, rule } = this.#options;
    const trusted = this.#trusted;
    // Whatever is wrong with what was read: the next attempt builds on nothing that was read before.
    this.#trusted = undefined;
    const next = await inTransaction(pool, (transaction) =>
      readNewest(transaction, trusted, rule.keys.pinned, rule.retention),
    );
    if (next !== undefined) this.#adopt(next);
  }

  /** Compares the database with what regions have reported. */
  async compareWithPeers(): Promise<void> {
    const { behindPeers, log } = this.#options;
    const before = this.#leftBehind;
    this.#leftBehind = await behindPeers.find(this.#held);
    if (this.#leftBehind && !before) log.error({ event: 'database-behind' }, `ALARM: ${this.#leftBehind.sentence}`);
    if (before && !this.#leftBehind) {
      this.distrustMemory();
      log.warn('the database is no longer behind what regions have seen; publishing and issuing go on');
      this.#tell();
    }
  }

  /** After a connection was lost: behind it, the database may have been replaced by an older one. */
  distrustMemory(): void {
    this.#trusted = undefined;
  }

  #adopt(next: PublishedFeed): void {
    const before = this.#held;
    if (before !== undefined && next.version < before.version) return;
    this.#trusted = next;
    if (next.version === before?.version) return;
    this.#held = next;
    this.#logRefused(before, next);
    this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #logRefused(before: PublishedFeed | undefined, next: PublishedFeed): void {
    const fresh = next.known.refused.slice(before?.known.refused.length ?? 0);
    for (const { index, code } of fresh) {
      this.#options.log.error(
        { event: 'statement-refused', position: index, code },
        'ALARM: a stored statement was signed by no pinned key and is not published; the row was changed outside of ' +
          'this program, or its key was retired before all statements that it signed had ended',
      );
    }
    if (next.pages === before?.pages) return;
    for (const { number, code } of next.pages.refused) {
      this.#options.log.error(
        { event: 'page-refused', page: number, code },
        'ALARM: a stored page of changes of access keys was signed by no pinned key and is not published; the row ' +
          'was changed outside of this program: delete it, and set changed_in to NULL for its access keys',
      );
    }
  }
}
