import { encodeIssuanceRecord, leafHash, type IssuanceRecord } from '@sigv4-keyd/ledger';
import type { Transaction } from '../database/transaction.js';

/**
 * Stores records, each as one canonical text, and queues them for the log with the leaf hash of what was recorded now:
 * a text that is changed before its turn does not fit it any more. Returns how many there were not yet.
 */
export async function insertRecords(transaction: Transaction, records: readonly IssuanceRecord[]): Promise<number> {
  const texts = records.map(encodeIssuanceRecord);
  const { rows } = await transaction.query<{ readonly issuer: string; readonly id: string }>(
    `INSERT INTO issuance (record) SELECT unnest($1::text[])
     ON CONFLICT (issuer, id) DO NOTHING RETURNING issuer, id`,
    [texts],
  );
  if (rows.length < records.length) return rows.length;
  await transaction.query(
    `INSERT INTO ledger_pending (issuer, id, issued_at, leaf_hash)
     SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::bytea[])`,
    [
      records.map(({ from }) => from),
      records.map(({ id }) => id),
      records.map(({ at }) => at),
      texts.map((text) => Buffer.from(leafHash(Buffer.from(text)))),
    ],
  );
  return rows.length;
}
