import type { BlastRadius } from '@sigv4-keyd/hop-protocol';
import { isScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Pool } from 'pg';
import { query } from '../../database/transaction.js';
import type { RevokedScope } from './scope.js';

/** The most access keys that are listed; all of them are counted. */
const MOST_LISTED = 1_000;

interface Row {
  readonly id: string;
  readonly owner: string;
  readonly dates: readonly string[];
  readonly total: number;
}

/** The access keys whose kRegion was issued for the scope: whoever holds it can make the key of every service. */
export async function issuedAccessKeys(
  pool: Pool,
  scope: RevokedScope,
): Promise<Pick<BlastRadius, 'accessKeys' | 'accessKeyCount'>> {
  const rows = await query<Row>(
    pool,
    `SELECT key.id, key.owner, array_agg(DISTINCT scope_date ORDER BY scope_date) AS dates,
            (count(*) OVER ())::integer AS total
       FROM issuance CROSS JOIN unnest(access_key_ids) AS issued (id) JOIN access_key AS key ON key.id = issued.id
      WHERE scope_date BETWEEN $1 AND $2
        AND ($3::text IS NULL OR region = $3)
        AND ($4::text IS NULL OR (access_key_ids @> ARRAY[$4::text] AND key.id = $4))
        AND ($5::text IS NULL OR key.services IS NULL OR $5 = ANY (key.services))
        AND ($6::timestamptz IS NULL OR key.created_at < $6)
      GROUP BY key.id, key.owner ORDER BY key.id LIMIT $7`,
    [
      scope.from,
      scope.to,
      scope.region ?? null,
      scope.accessKeyId ?? null,
      scope.service ?? null,
      scope.issuedBefore === undefined ? null : new Date(scope.issuedBefore),
      MOST_LISTED,
    ],
  );
  return {
    accessKeys: rows.map(({ id, owner, dates }) => ({ accessKeyId: id, owner, dates: dates.filter(isScopeDate) })),
    accessKeyCount: rows[0]?.total ?? 0,
  };
}
