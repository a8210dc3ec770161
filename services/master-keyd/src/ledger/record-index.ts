import { every, type Clock } from '@sigv4-keyd/hop-protocol';
import type { Logger } from '@sigv4-keyd/service-skeleton';
import type { Pool } from 'pg';
import { query } from '../database/transaction.js';

/** A look-up reads through what waits: a few seconds of issuances. */
export const TIDY_EVERY_MS = 5_000;

/** Has the index of records by access key take in what waits before it, so that no issuance has to. */
export class RecordIndex {
  readonly #pool: Pool;
  readonly #log: Logger;
  #isFailing = false;
  #work: Promise<void> = Promise.resolve();

  constructor({ pool, log }: { readonly pool: Pool; readonly log: Logger }) {
    this.#pool = pool;
    this.#log = log;
  }

  /** Returns the end of it, which waits for what is under way. */
  start(clock: Clock): () => Promise<void> {
    const cancel = every(clock, TIDY_EVERY_MS, () => this.tidy());
    return async () => {
      cancel();
      await this.#work;
    };
  }

  /** Never rejects: a failure is told once, and tried again on the next beat. At a replica's turn it does nothing. */
  tidy(): Promise<void> {
    this.#work = this.#tidy();
    return this.#work;
  }

  async #tidy(): Promise<void> {
    try {
      await query(this.#pool, "SELECT gin_clean_pending_list('issuance_by_access_key')");
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) this.#log.warn({ err: error }, 'the index of records is not brought up to date');
      this.#isFailing = true;
    }
  }
}
