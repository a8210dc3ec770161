import type { Transaction } from './transaction.js';

/** Advisory locks of this program in its database; all are held to the end of a transaction. */
const LOCKS = { migration: 7_434_001, issuance: 7_434_002 } as const;

/** One replica at a time brings the schema up to date. */
export async function lockMigrations(transaction: Transaction): Promise<void> {
  await transaction.query('SELECT pg_advisory_xact_lock($1)', [LOCKS.migration]);
}

/** Issuing takes this before it reads access keys; any number of them at a time. */
export async function lockForIssuing(transaction: Transaction): Promise<void> {
  await transaction.query('SELECT pg_advisory_xact_lock_shared($1)', [LOCKS.issuance]);
}

/**
 * A change to an access key takes this: it waits for the issuances under way. So once a change is answered, every
 * issuance that still saw the old state is recorded, and what the records say of that access key is complete.
 */
export async function lockForChanging(transaction: Transaction): Promise<void> {
  await transaction.query('SELECT pg_advisory_xact_lock($1)', [LOCKS.issuance]);
}
