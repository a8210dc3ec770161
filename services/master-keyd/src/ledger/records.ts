import {
  MOST_RECORD_BYTES_A_PAGE,
  type LedgerLeaf,
  type LedgerRecords,
  type ledgerRecordsQuery,
} from '@sigv4-keyd/hop-protocol';
import { formatMerkleHash } from '@sigv4-keyd/ledger';
import type { Pool } from 'pg';
import type { z } from 'zod';
import { inTransaction, type Transaction } from '../database/transaction.js';
import { readHead } from './head-row.js';
import { leafHashReader } from './leaf-hashes.js';

type Query = z.output<typeof ledgerRecordsQuery>;

interface Row {
  readonly leaf: number;
  readonly record: string | null;
  /** Leaves that fit, of which one more than a page was looked for. */
  readonly found: number;
}

/** A page of the log: every leaf of a range, or those whose records fit. What was tampered with shows as it is. */
export function recordsPage(pool: Pool, query: Query): Promise<LedgerRecords> {
  return inTransaction(pool, async (transaction) => {
    await transaction.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const size = (await readHead(transaction))?.size ?? 0;
    const rows = await (isFiltered(query) ? fittingRows : allRows)(transaction, query, size);
    const page = rows.slice(0, query.limit);
    const hashOf = leafHashReader(transaction);
    const leaves: LedgerLeaf[] = [];
    for (const { leaf, record } of page) {
      const hash = await hashOf(leaf);
      leaves.push({ leaf, hash: hash === undefined ? null : formatMerkleHash(hash), record });
    }
    const last = page.at(-1);
    const isMore = last !== undefined && last.found > page.length;
    return { leaves, size, ...(isMore && { next: last.leaf + 1 }) };
  });
}

function isFiltered({ region, peer, accessKeyId, firstDate, lastDate }: Query): boolean {
  return [region, peer, accessKeyId, firstDate, lastDate].some((part) => part !== undefined);
}

/** Cuts what was found to the size of a page, but never to nothing. */
const CUT = `SELECT leaf::double precision AS leaf, record, found FROM (
    SELECT *, count(*) OVER ()::integer AS found, row_number() OVER (ORDER BY leaf) AS place,
           sum(coalesce(octet_length(record), 0)) OVER (ORDER BY leaf) AS bytes
      FROM found) AS sized
   WHERE place = 1 OR bytes <= ${MOST_RECORD_BYTES_A_PAGE} ORDER BY leaf`;

/** Every leaf, whether its row and its record are still there or not. */
async function allRows(transaction: Transaction, { from, limit }: Query, size: number): Promise<readonly Row[]> {
  const { rows } = await transaction.query<Row>(
    `WITH found AS (
       SELECT series.leaf, record FROM generate_series($1::bigint, $2::bigint - 1) AS series (leaf)
         LEFT JOIN ledger_leaf USING (leaf) LEFT JOIN issuance USING (issuer, id))
     ${CUT}`,
    [from, Math.min(size, from + limit + 1)],
  );
  return rows;
}

async function fittingRows(transaction: Transaction, query: Query, size: number): Promise<readonly Row[]> {
  const { rows } = await transaction.query<Row>(
    `WITH found AS (
       SELECT leaf, record FROM issuance JOIN ledger_leaf USING (issuer, id)
        WHERE leaf >= $1 AND leaf < $2 AND ($3::text IS NULL OR region IS NULL OR region = $3) AND ($4::text IS NULL OR peer = $4)
          AND ($5::text IS NULL OR access_key_ids @> ARRAY[$5])
          AND ($6::text IS NULL OR scope_date >= $6) AND ($7::text IS NULL OR scope_date <= $7)
        ORDER BY leaf LIMIT $8)
     ${CUT}`,
    [
      query.from,
      size,
      query.region ?? null,
      query.peer ?? null,
      query.accessKeyId ?? null,
      query.firstDate ?? null,
      query.lastDate ?? null,
      query.limit + 1,
    ],
  );
  return rows;
}
