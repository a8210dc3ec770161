import { isScopeDate, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Transaction } from '../database/transaction.js';

/**
 * The newest day whose keys were issued for a scope; undefined for a scope that never had any. What is said of an
 * access key hits its sessions, so that the days of those that have not ended count, too; as do days that a deputy
 * holds.
 */
export async function newestIssuedDay(
  transaction: Transaction,
  { region, accessKeyId }: { readonly region?: string | undefined; readonly accessKeyId?: string | undefined },
): Promise<ScopeDate | undefined> {
  const { rows } = await transaction.query<{ readonly newest: string | null }>(
    `SELECT max(scope_date) AS newest FROM issuance
      WHERE ($1::text IS NULL OR region IS NULL OR region = $1) AND ($2::text IS NULL OR access_key_ids && ($2 || ARRAY(
              SELECT id FROM access_key WHERE parent_id = $2 AND status <> 'deleted')))`,
    [region ?? null, accessKeyId ?? null],
  );
  const newest = rows[0]?.newest ?? undefined;
  return newest !== undefined && isScopeDate(newest) ? newest : undefined;
}
