import { isScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Pool } from 'pg';
import { query } from '../../database/transaction.js';
import type { IdentitiesGivenKeys } from './blast-radius.js';
import type { RevokedScope } from './scope.js';

interface Row {
  readonly peer: string;
  readonly dates: readonly string[];
  readonly first: Date;
  readonly last: Date;
}

/** The regions that were given kRegion of the scope. */
export async function issuedRegions(pool: Pool, scope: RevokedScope): Promise<IdentitiesGivenKeys> {
  const rows = await query<Row>(
    pool,
    `SELECT peer, array_agg(DISTINCT scope_date ORDER BY scope_date) AS dates,
            min(issued_at) AS first, max(issued_at) AS last
       FROM issuance
      WHERE scope_date BETWEEN $1 AND $2
        AND ($3::text IS NULL OR region = $3)
        AND ($4::text IS NULL OR access_key_ids @> ARRAY[$4::text])
      GROUP BY peer ORDER BY peer`,
    [scope.from, scope.to, scope.region ?? null, scope.accessKeyId ?? null],
  );
  return rows.map(({ peer, dates, first, last }) => ({
    spiffeId: peer,
    dates: dates.filter(isScopeDate),
    firstIssuedAt: first.toISOString(),
    lastIssuedAt: last.toISOString(),
  }));
}
