import type { Pool } from 'pg';
import { query } from '../database/transaction.js';

/** How large the ledger is, and the signed note that says so. */
export interface LedgerSize {
  readonly size: number;
  /** Records that are no leaves yet. */
  readonly pending: number;
  readonly checkpoint: string | undefined;
}

export async function readLedgerSize(pool: Pool): Promise<LedgerSize> {
  const [row] = await query<{ readonly size: number | null; readonly note: string | null; readonly pending: number }>(
    pool,
    `SELECT head.size::double precision AS size, head.note, pending.count AS pending
       FROM (SELECT count(*)::integer AS count FROM ledger_pending) AS pending LEFT JOIN ledger_head AS head ON true`,
  );
  return { size: row?.size ?? 0, pending: row?.pending ?? 0, checkpoint: row?.note ?? undefined };
}
