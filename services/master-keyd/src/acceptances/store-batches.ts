import type { RelayedBatch, Rollup } from '@sigv4-keyd/hop-protocol';
import type { Transaction } from '../database/transaction.js';

/**
 * Adds the batches that were not taken before. The record of a batch and its counts become durable together, so that a
 * batch is counted once however often it comes, and at whatever moment either side dies.
 */
export async function storeBatches(
  transaction: Transaction,
  batches: readonly RelayedBatch[],
  receivedAt: number,
): Promise<{ readonly taken: number }> {
  const fresh = await recordBatches(transaction, batches, receivedAt);
  const rows = fresh.flatMap((relayed) => relayed.batch.rollups.map((rollup) => ({ ...relayed, rollup })));
  if (rows.length > 0) await addCounts(transaction, rows);
  return { taken: fresh.length };
}

async function recordBatches(
  transaction: Transaction,
  batches: readonly RelayedBatch[],
  receivedAt: number,
): Promise<readonly RelayedBatch[]> {
  const byName = new Map(batches.map((relayed) => [nameOf(relayed), relayed]));
  const distinct = [...byName.values()];
  // In one order everywhere, so that two requests with the same batches wait for each other instead of deadlocking.
  const inserted = await transaction.query<{ readonly name: string }>(
    `INSERT INTO acceptance_batch (edge, id, region, service, received_at, dropped)
     SELECT edge, id, region, service, $6, dropped
       FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::bigint[]) AS b (edge, id, region, service, dropped)
      ORDER BY edge, id
     ON CONFLICT DO NOTHING RETURNING edge || ' ' || id AS name`,
    [
      distinct.map(({ edge }) => edge),
      distinct.map(({ batch }) => batch.id),
      distinct.map(({ region }) => region),
      distinct.map(({ service }) => service),
      distinct.map(({ batch }) => batch.dropped),
      new Date(receivedAt),
    ],
  );
  const taken = new Set(inserted.rows.map(({ name }) => name));
  return distinct.filter((relayed) => taken.has(nameOf(relayed)));
}

/** As the database spells it: a UUID in capitals is the same one. */
function nameOf({ edge, batch }: RelayedBatch): string {
  return `${edge} ${batch.id.toLowerCase()}`;
}

interface Row extends RelayedBatch {
  readonly rollup: Rollup;
}

async function addCounts(transaction: Transaction, rows: readonly Row[]): Promise<void> {
  const columns = [
    rows.map(({ rollup }) => rollup.minute),
    rows.map(({ rollup }) => rollup.scopeDate),
    rows.map(({ region }) => region),
    rows.map(({ service }) => service),
    rows.map(({ rollup }) => rollup.accessKeyId),
    rows.map(({ edge }) => edge),
    rows.map(({ rollup }) => rollup.mechanism),
    rows.map(({ rollup }) => rollup.count),
    rows.map(({ rollup }) => rollup.first),
    rows.map(({ rollup }) => rollup.last),
  ];
  await transaction.query(
    `INSERT INTO acceptance AS a
       (minute, scope_date, region, service, access_key_id, edge, mechanism, count, first_at, last_at)
     SELECT minute, scope_date, region, service, access_key_id, edge, mechanism, sum(count), min(first_at), max(last_at)
       FROM ${ROLLUPS} GROUP BY 1, 2, 3, 4, 5, 6, 7
      ORDER BY access_key_id, scope_date, edge, mechanism, minute
     ON CONFLICT (access_key_id, scope_date, edge, mechanism, minute) DO UPDATE SET ${ADDED}`,
    columns,
  );
  await transaction.query(
    `INSERT INTO acceptance_day AS a (scope_date, region, service, access_key_id, edge, count, first_at, last_at)
     SELECT scope_date, region, service, access_key_id, edge, sum(count), min(first_at), max(last_at)
       FROM ${ROLLUPS} GROUP BY 1, 2, 3, 4, 5 ORDER BY scope_date, region, service, access_key_id, edge
     ON CONFLICT (scope_date, region, service, access_key_id, edge) DO UPDATE SET ${ADDED}`,
    columns,
  );
}

const ROLLUPS = `unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
  $8::bigint[], $9::timestamptz[], $10::timestamptz[]) AS rollup
  (minute, scope_date, region, service, access_key_id, edge, mechanism, count, first_at, last_at)`;

const ADDED = `count = a.count + excluded.count, first_at = least(a.first_at, excluded.first_at),
  last_at = greatest(a.last_at, excluded.last_at)`;
