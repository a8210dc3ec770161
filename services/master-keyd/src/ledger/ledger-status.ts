import type { Pool } from 'pg';
import { query } from '../database/transaction.js';
import { refusedJournals, type RefusedJournal } from './journal-refusals.js';

interface Seen {
  /** Leaves of the newest checkpoint. */
  readonly size: number;
  /** Records that are no leaves yet. */
  readonly pending: number;
  readonly refusedJournals: readonly RefusedJournal[];
}

/** How the ledger stands, as last looked at. */
export class LedgerStatus {
  readonly #pool: Pool;
  #seen: Seen = { size: 0, pending: 0, refusedJournals: [] };

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  get seen(): Seen {
    return this.#seen;
  }

  async look(): Promise<void> {
    const [row] = await query<{ readonly size: number | null; readonly pending: number }>(
      this.#pool,
      `SELECT (SELECT size::double precision FROM ledger_head) AS size,
              (SELECT count(*)::integer FROM ledger_pending) AS pending`,
    );
    this.#seen = {
      size: row?.size ?? 0,
      pending: row?.pending ?? 0,
      refusedJournals: await refusedJournals(this.#pool),
    };
  }

  /** What somebody should see to, in words. */
  warnings(): readonly string[] {
    return this.#seen.refusedJournals.map(
      ({ peer, refusal, since, expected }) =>
        `the journal of ${peer} is refused since ${since} (${refusal}; record ${expected} is to come next)`,
    );
  }
}
