import type { BlastRadius } from '@sigv4-keyd/hop-protocol';
import { isScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Transaction } from '../database/transaction.js';
import { scopeValues, type IncidentScope } from './incident-scope.js';

interface Row {
  readonly peer: string;
  readonly dates: string[];
  readonly first_at: Date;
  readonly last_at: Date;
}

/** The regions that were given kRegion of the scope. It makes every service's keys, so that no service is outside. */
export async function issuedToRegions(
  transaction: Transaction,
  scope: IncidentScope,
  limit: number,
): Promise<BlastRadius['identities']> {
  const { rows } = await transaction.query<Row>(
    `SELECT peer, array_agg(DISTINCT scope_date ORDER BY scope_date) AS dates,
            min(issued_at) AS first_at, max(issued_at) AS last_at
       FROM issuance
      WHERE rung = 'kRegion' AND scope_date BETWEEN $1 AND $2 AND ($3::text IS NULL OR region = $3)
        AND ($4::text IS NULL OR access_key_ids @> ARRAY[$4])
      GROUP BY peer ORDER BY peer LIMIT $5`,
    [...scopeValues(scope), limit],
  );
  return rows.map((row) => ({
    spiffeId: row.peer,
    dates: row.dates.filter(isScopeDate),
    firstIssuedAt: row.first_at.toISOString(),
    lastIssuedAt: row.last_at.toISOString(),
  }));
}
