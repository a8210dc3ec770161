import { KeydError, type CheckpointAnswer } from '@sigv4-keyd/hop-protocol';
import { formatMerkleHash, proveConsistency, subtreesFromTiles, type MerkleHash } from '@sigv4-keyd/ledger';
import type { Pool } from 'pg';
import { inTransaction } from '../database/transaction.js';
import { readHead } from './head-row.js';
import { tileTable } from './tile-table.js';

/**
 * The newest checkpoint with the proof that it only adds to the log of `from` leaves. An asker that has seen more than
 * we have gets the checkpoint all the same: it is the signed evidence that the log was set back.
 */
export function checkpointFrom(pool: Pool, from: number): Promise<CheckpointAnswer> {
  return inTransaction(pool, async (transaction) => {
    await transaction.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const head = await readHead(transaction);
    if (head === undefined) throw new KeydError('not-ready', { detail: 'no checkpoint was signed yet' });
    const proof: readonly MerkleHash[] =
      from >= head.size ? [] : await proveConsistency(subtreesFromTiles(tileTable(transaction)), from, head.size);
    return { checkpoint: head.note, consistency: proof.map(formatMerkleHash) };
  });
}
