import { merkleHashOf, type MerkleHash } from '@sigv4-keyd/ledger';
import type { Transaction } from '../database/transaction.js';

/** A record that is durable and no leaf yet. */
export interface PendingRecord {
  readonly issuer: string;
  readonly id: string;
  readonly leafHash: MerkleHash;
}

/** Whatever has committed and was not sequenced, oldest first; no number that says how far we are, for none could. */
export async function pendingRecords(transaction: Transaction, limit: number): Promise<readonly PendingRecord[]> {
  const { rows } = await transaction.query<{
    readonly issuer: string;
    readonly id: string;
    readonly leaf_hash: Buffer;
  }>('SELECT issuer, id, leaf_hash FROM ledger_pending ORDER BY issued_at, issuer, id LIMIT $1', [limit]);
  return rows.map(({ issuer, id, leaf_hash: hash }) => ({ issuer, id, leafHash: merkleHashOf(hash) }));
}

/** Makes pending records the leaves from `first` on. */
export async function insertLeaves(
  transaction: Transaction,
  first: number,
  records: readonly PendingRecord[],
): Promise<void> {
  const keys = [records.map(({ issuer }) => issuer), records.map(({ id }) => id)];
  await transaction.query(
    `INSERT INTO ledger_leaf (leaf, issuer, id)
     SELECT $3::bigint + place - 1, issuer, id
       FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS taken (issuer, id, place)`,
    [...keys, first],
  );
  await transaction.query(
    `DELETE FROM ledger_pending USING unnest($1::text[], $2::text[]) AS taken (issuer, id)
      WHERE ledger_pending.issuer = taken.issuer AND ledger_pending.id = taken.id`,
    keys,
  );
}
