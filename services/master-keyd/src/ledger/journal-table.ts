import type { ChainPosition, IssuanceRecord } from '@sigv4-keyd/ledger';
import type { Transaction } from '../database/transaction.js';

/** Which journal: a region, and the id that its journal was given when it was begun. */
export interface JournalName {
  readonly peer: string;
  readonly journal: string;
}

/** How far a journal was taken. */
export interface TakenJournal {
  /** The last record that was taken, and the chain's hash there. */
  readonly end: ChainPosition;
  readonly isRefused: boolean;
  /** It was begun by this upload although the region has another one. */
  readonly isSuccessor: boolean;
}

export interface TakenEntry extends ChainPosition {
  readonly record: IssuanceRecord;
}

interface Row {
  readonly next_seq: number;
  readonly hash: string;
  readonly is_refused: boolean;
}

const COLUMNS = 'next_seq::double precision AS next_seq, hash, refusal IS NOT NULL AS is_refused';

/** Undefined for a journal of which nothing was taken. */
export async function findJournal(
  transaction: Transaction,
  { peer, journal }: JournalName,
): Promise<Pick<TakenJournal, 'end'> | undefined> {
  const { rows } = await transaction.query<Row>(
    `SELECT ${COLUMNS} FROM region_journal WHERE peer = $1 AND journal = $2`,
    [peer, journal],
  );
  return rows[0] && takenFrom(rows[0]);
}

/** Locks the journal to the end of the transaction; a new one is begun at `genesis`. */
export async function lockJournal(
  transaction: Transaction,
  { peer, journal }: JournalName,
  { genesis, at }: { readonly genesis: ChainPosition; readonly at: number },
): Promise<TakenJournal> {
  const begun = await transaction.query(
    `INSERT INTO region_journal (peer, journal, begun_at, next_seq, hash) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (peer, journal) DO NOTHING`,
    [peer, journal, new Date(at), genesis.seq + 1, genesis.hash],
  );
  const { rows } = await transaction.query<Row>(
    `SELECT ${COLUMNS} FROM region_journal WHERE peer = $1 AND journal = $2 FOR UPDATE`,
    [peer, journal],
  );
  const [row] = rows;
  if (!row) throw new Error('a row that was inserted is there');
  return { ...takenFrom(row), isSuccessor: begun.rowCount === 1 && (await hasOther(transaction, { peer, journal })) };
}

async function hasOther(transaction: Transaction, { peer, journal }: JournalName): Promise<boolean> {
  const { rows } = await transaction.query('SELECT FROM region_journal WHERE peer = $1 AND journal <> $2 LIMIT 1', [
    peer,
    journal,
  ]);
  return rows.length > 0;
}

/** The hashes of the entries from `first` to `last`, by number, as far as they were taken. */
export async function takenHashes(
  transaction: Transaction,
  { peer, journal }: JournalName,
  { first, last }: { readonly first: number; readonly last: number },
): Promise<ReadonlyMap<number, string>> {
  const { rows } = await transaction.query<{ readonly seq: number; readonly hash: string }>(
    `SELECT seq::double precision AS seq, hash FROM journal_entry
      WHERE peer = $1 AND journal = $2 AND seq BETWEEN $3 AND $4`,
    [peer, journal, first, last],
  );
  return new Map(rows.map(({ seq, hash }) => [seq, hash]));
}

/** Notes the place of records that were stored, and moves on to `end`; an earlier refusal is over. */
export async function storeTaken(
  transaction: Transaction,
  { peer, journal }: JournalName,
  entries: readonly TakenEntry[],
  end: ChainPosition,
): Promise<void> {
  await transaction.query(
    `INSERT INTO journal_entry (peer, journal, seq, hash, record_id)
     SELECT $1, $2, * FROM unnest($3::bigint[], $4::text[], $5::text[])`,
    [
      peer,
      journal,
      entries.map(({ seq }) => seq),
      entries.map(({ hash }) => hash),
      entries.map(({ record }) => record.id),
    ],
  );
  await transaction.query(
    `UPDATE region_journal SET next_seq = $3, hash = $4, refusal = NULL, refused_at = NULL
      WHERE peer = $1 AND journal = $2`,
    [peer, journal, end.seq + 1, end.hash],
  );
}

function takenFrom(row: Row): Omit<TakenJournal, 'isSuccessor'> {
  return { end: { seq: row.next_seq - 1, hash: row.hash }, isRefused: row.is_refused };
}
