import { MerkleFrontier } from '@sigv4-keyd/ledger';
import type { Transaction } from '../database/transaction.js';

/** The newest checkpoint, and the right edge of the tree that it is of. */
export interface LedgerHead {
  readonly size: number;
  readonly frontier: MerkleFrontier;
  /** The signed note. */
  readonly note: string;
}

/** Undefined before the first checkpoint. Throws LedgerError `malformed-frontier`. */
export async function readHead(transaction: Transaction): Promise<LedgerHead | undefined> {
  const { rows } = await transaction.query<{ readonly size: number; readonly frontier: string; readonly note: string }>(
    'SELECT size::double precision AS size, frontier, note FROM ledger_head',
  );
  const [row] = rows;
  return row && { ...row, frontier: MerkleFrontier.restore(row.frontier) };
}

export async function storeHead(transaction: Transaction, { frontier, note }: LedgerHead): Promise<void> {
  await transaction.query(
    `INSERT INTO ledger_head (only_row, size, frontier, note) VALUES (true, $1, $2, $3)
     ON CONFLICT (only_row) DO UPDATE SET size = excluded.size, frontier = excluded.frontier, note = excluded.note`,
    [frontier.size, frontier.serialise(), note],
  );
}
