import { addDays, DAY_MS, scopeDateOf, startOfScopeDate, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Logger } from '@sigv4-keyd/service-skeleton';
import type { Pool } from 'pg';
import { lockPartitions } from '../database/locks.js';
import { inTransaction, query, type Transaction } from '../database/transaction.js';

export interface PartitionsOptions {
  readonly pool: Pool;
  readonly log: Logger;
  readonly now: () => number;
  /** For how many days acceptances are kept. */
  readonly keptDays: number;
}

/** How often `beat` is due, milliseconds. */
export const LOOK_AFTER_EVERY_MS = 600_000;
/** So many days to come have their partition before the first of their minutes does. */
const DAYS_AHEAD = 2;
const NAME = /^acceptance_([0-9]{8})$/;

/** The partitions of the table of acceptances, one a UTC day of minutes: made ahead and on demand, dropped when old. */
export class AcceptancePartitions {
  readonly #options: PartitionsOptions;
  readonly #known = new Set<ScopeDate>();

  constructor(options: PartitionsOptions) {
    this.#options = options;
  }

  /** Makes the days to come, and drops what is kept no longer. Never rejects: the next beat tries again. */
  async beat(): Promise<void> {
    const { now, log } = this.#options;
    try {
      const today = scopeDateOf(now());
      await this.ensure(Array.from({ length: DAYS_AHEAD + 1 }, (_, ahead) => addDays(today, ahead)));
      await this.dropOld();
    } catch (error) {
      log.warn({ err: error }, 'the partitions of acceptances could not be looked after; the next beat tries again');
    }
  }

  /** Resolves once each of the days has its partition. */
  async ensure(days: Iterable<ScopeDate>): Promise<void> {
    const missing = [...new Set(days)].filter((day) => !this.#known.has(day)).sort();
    if (missing.length === 0) return;
    await inTransaction(this.#options.pool, async (transaction) => {
      await lockPartitions(transaction);
      for (const day of missing) await makePartition(transaction, day);
    });
    for (const day of missing) this.#known.add(day);
  }

  /** After a statement found no partition: another replica has dropped it, or the database was replaced. */
  forget(): void {
    this.#known.clear();
  }

  async dropOld(): Promise<void> {
    const { pool, log, now, keptDays } = this.#options;
    const keptFrom = now() - keptDays * DAY_MS;
    const oldest = scopeDateOf(keptFrom);
    for (const { name } of await partitions(pool)) {
      const day = NAME.exec(name)?.[1];
      if (day === undefined || day >= oldest) continue;
      await inTransaction(pool, async (transaction) => {
        await lockPartitions(transaction);
        // Dropping waits for statements that read the table, and all that come after wait for it: rather later.
        await transaction.query("SET LOCAL lock_timeout = '2s'");
        await transaction.query(`DROP TABLE IF EXISTS ${name}`);
      });
      log.info({ event: 'acceptances-dropped', day }, 'acceptances were dropped as old as KEYD_ACCEPTANCES_KEPT says');
    }
    await query(pool, 'DELETE FROM acceptance_day WHERE last_at < $1', [new Date(keptFrom)]);
    // Once a batch is forgotten it could be counted again; its minutes are refused as too old by then.
    await query(pool, 'DELETE FROM acceptance_batch WHERE received_at < $1', [new Date(keptFrom - DAY_MS)]);
    for (const day of this.#known) if (day < oldest) this.#known.delete(day);
  }
}

/** `day` is of the closed grammar of scope dates, so that it can stand in a statement. */
async function makePartition(transaction: Transaction, day: ScopeDate): Promise<void> {
  const from = new Date(startOfScopeDate(day)).toISOString();
  const to = new Date(startOfScopeDate(day) + DAY_MS).toISOString();
  await transaction.query(
    `CREATE TABLE IF NOT EXISTS acceptance_${day} PARTITION OF acceptance FOR VALUES FROM ('${from}') TO ('${to}')`,
  );
}

function partitions(pool: Pool): Promise<readonly { readonly name: string }[]> {
  return query(
    pool,
    `SELECT child.relname::text AS name FROM pg_inherits
       JOIN pg_class AS child ON child.oid = inhrelid WHERE inhparent = 'acceptance'::regclass ORDER BY 1`,
  );
}
