import type { Transaction } from './transaction.js';

/** Advisory locks of this program in its database; held to the end of a transaction, but for the publisher's. */
const LOCKS = {
  migration: 7_434_001,
  issuance: 7_434_002,
  publisher: 7_434_003,
  sequencer: 7_434_004,
  partitions: 7_434_010,
} as const;

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

/**
 * The one master that publishes on the beat has this for as long as its session lives. Tells whether we have it.
 * `hasIt`: we took it before on this session; the server counts how often, so that it is not taken twice.
 */
export async function lockPublishing(session: Transaction, hasIt: boolean): Promise<boolean> {
  const { rows } = await session.query<{ readonly has_lock: boolean }>(
    'SELECT CASE WHEN $2::boolean THEN true ELSE pg_try_advisory_lock($1) END AS has_lock',
    [LOCKS.publisher, hasIt],
  );
  return rows[0]?.has_lock ?? false;
}

/** One replica at a time appends to the ledger. Tells whether it is this one; whoever is not does without. */
export async function lockSequencing(transaction: Transaction): Promise<boolean> {
  const { rows } = await transaction.query<{ readonly has_lock: boolean }>(
    'SELECT pg_try_advisory_xact_lock($1) AS has_lock',
    [LOCKS.sequencer],
  );
  return rows[0]?.has_lock ?? false;
}

/** One replica at a time makes and drops the partitions of acceptances. */
export async function lockPartitions(transaction: Transaction): Promise<void> {
  await transaction.query('SELECT pg_advisory_xact_lock($1)', [LOCKS.partitions]);
}
