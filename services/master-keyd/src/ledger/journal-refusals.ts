import type { Pool } from 'pg';
import { query } from '../database/transaction.js';
import type { JournalName } from './journal-table.js';

export type JournalRefusal = 'journal-gap' | 'journal-fork';

/** A journal that is not taken at present. */
export interface RefusedJournal extends JournalName {
  readonly refusal: JournalRefusal;
  /** ISO 8601. */
  readonly since: string;
  /** The number of the record that is to come next. */
  readonly expected: number;
}

/** Keeps that a journal was refused, outside of the transaction that took nothing of it. */
export async function storeRefusal(
  pool: Pool,
  { peer, journal }: JournalName,
  { refusal, at, genesisHash }: { readonly refusal: JournalRefusal; readonly at: number; readonly genesisHash: string },
): Promise<void> {
  await query(
    pool,
    `INSERT INTO region_journal (peer, journal, begun_at, next_seq, hash, refusal, refused_at)
     VALUES ($1, $2, $3, 1, $5, $4, $3)
     ON CONFLICT (peer, journal) DO UPDATE SET refusal = excluded.refusal,
       refused_at = coalesce(region_journal.refused_at, excluded.refused_at)`,
    [peer, journal, new Date(at), refusal, genesisHash],
  );
}

export async function refusedJournals(pool: Pool): Promise<readonly RefusedJournal[]> {
  const rows = await query<{
    readonly peer: string;
    readonly journal: string;
    readonly refusal: JournalRefusal;
    readonly refused_at: Date;
    readonly next_seq: number;
  }>(
    pool,
    `SELECT peer, journal, refusal, refused_at, next_seq::double precision AS next_seq
       FROM region_journal WHERE refusal IS NOT NULL ORDER BY peer, journal`,
  );
  return rows.map(({ peer, journal, refusal, refused_at: since, next_seq: expected }) => ({
    peer,
    journal,
    refusal,
    since: since.toISOString(),
    expected,
  }));
}
