import type { LogIdentity } from '@sigv4-keyd/ledger';
import type { Logger } from '@sigv4-keyd/service-skeleton';
import type { Pool } from 'pg';
import { query } from '../database/transaction.js';
import { checkpointsAhead, type CheckpointAhead } from './checkpoints-ahead.js';
import { refusedJournals, type RefusedJournal } from './journal-refusals.js';

interface Seen {
  /** Leaves of the newest checkpoint. */
  readonly size: number;
  /** Records that are no leaves yet. */
  readonly pending: number;
  readonly refusedJournals: readonly RefusedJournal[];
  /** Who has seen more of the ledger than there is. */
  readonly ahead: readonly CheckpointAhead[];
}

/** How the ledger stands, as last looked at. */
export class LedgerStatus {
  readonly #pool: Pool;
  readonly #log: LogIdentity;
  readonly #logger: Logger;
  #seen: Seen = { size: 0, pending: 0, refusedJournals: [], ahead: [] };

  constructor({ pool, ledger, log }: { readonly pool: Pool; readonly ledger: LogIdentity; readonly log: Logger }) {
    this.#pool = pool;
    this.#log = ledger;
    this.#logger = log;
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
    const ahead = await checkpointsAhead(this.#pool, this.#log);
    if (ahead.length > 0 && this.#seen.ahead.length === 0) {
      const event = { event: 'ledger-set-back', security: true, ahead, size: row?.size ?? 0 };
      this.#logger.error(event, 'ALARM: regions have seen more of the ledger than the database holds: it was set back');
    }
    this.#seen = {
      ahead,
      size: row?.size ?? 0,
      pending: row?.pending ?? 0,
      refusedJournals: await refusedJournals(this.#pool),
    };
  }

  /** What somebody should see to, in words. */
  warnings(): readonly string[] {
    const { refusedJournals: refused, ahead, size } = this.#seen;
    return [
      ...refused.map(
        ({ peer, refusal, since, expected }) =>
          `the journal of ${peer} is refused since ${since} (${refusal}; record ${expected} is to come next)`,
      ),
      ...ahead.map(
        (one) => `${one.spiffeId} has seen ${one.size} leaves of the ledger, and there are ${size}: it was set back`,
      ),
    ];
  }
}
