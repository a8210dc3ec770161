import { LedgerError, openCheckpoint, type LogIdentity } from '@sigv4-keyd/ledger';
import type { Pool } from 'pg';
import { query } from '../database/transaction.js';

/** A region or a deputy that has seen more of the ledger than this database holds. */
export interface CheckpointAhead {
  readonly spiffeId: string;
  readonly size: number;
}

/**
 * The regions and deputies whose newest checkpoint is of a larger log than ours: the database was set back. Only what
 * we signed counts, so that none of them can claim it.
 */
export async function checkpointsAhead(pool: Pool, log: LogIdentity): Promise<readonly CheckpointAhead[]> {
  const rows = await query<{ readonly spiffe_id: string; readonly note: string }>(
    pool,
    `SELECT spiffe_id, report -> 'checkpoint' ->> 'note' AS note FROM tier_report
      WHERE role IN ('deputy', 'region') AND (report -> 'checkpoint' ->> 'size')::numeric
            > (SELECT coalesce(max(size), 0) FROM ledger_head)
      ORDER BY spiffe_id`,
  );
  return rows.flatMap(({ spiffe_id: spiffeId, note }) => {
    const size = signedSize(note, log);
    return size === undefined ? [] : [{ spiffeId, size }];
  });
}

function signedSize(note: string, log: LogIdentity): number | undefined {
  try {
    return openCheckpoint(note, log).size;
  } catch (error) {
    if (error instanceof LedgerError) return undefined;
    throw error;
  }
}
