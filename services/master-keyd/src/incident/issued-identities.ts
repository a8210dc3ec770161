import type { BlastRadius } from '@sigv4-keyd/hop-protocol';
import { isScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Transaction } from '../database/transaction.js';
import { ACCESS_KEYS_IN_SCOPE, scopeValues, type IncidentScope } from './incident-scope.js';

interface Row {
  readonly peer: string;
  readonly dates: string[];
  readonly first_at: Date;
  readonly last_at: Date;
  readonly total: string;
}

/**
 * Who was given keys of the scope, deputies first, then regions, then edges; at most `limit`, and how many in all.
 * kDate makes the keys of every region, and kRegion those of every service, so that a record of them is never outside.
 * Public keys make no signature: whoever was given nothing else is not among them.
 */
export async function issuedIdentities(
  transaction: Transaction,
  scope: IncidentScope,
  limit: number,
): Promise<Pick<BlastRadius, 'identities' | 'identityCount'>> {
  const { rows } = await transaction.query<Row>(
    `SELECT peer, array_agg(DISTINCT scope_date ORDER BY scope_date) AS dates,
            min(issued_at) AS first_at, max(issued_at) AS last_at, count(*) OVER () AS total
       FROM issuance
      WHERE rung <> 'publicKey' AND scope_date BETWEEN $1 AND $2
        AND ($3::text IS NULL OR region IS NULL OR region = $3)
        AND ($4::text IS NULL OR access_key_ids && ${ACCESS_KEYS_IN_SCOPE}) AND ($5::text IS NULL OR service IS NULL OR service = $5)
      GROUP BY peer, rung ORDER BY rung, peer LIMIT $6`,
    [...scopeValues(scope), scope.service ?? null, limit],
  );
  return {
    identities: rows.map((row) => ({
      spiffeId: row.peer,
      dates: row.dates.filter(isScopeDate),
      firstIssuedAt: row.first_at.toISOString(),
      lastIssuedAt: row.last_at.toISOString(),
    })),
    identityCount: Number(rows[0]?.total ?? 0),
  };
}
