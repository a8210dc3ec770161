import type { BlastRadius } from '@sigv4-keyd/hop-protocol';
import { isScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Transaction } from '../database/transaction.js';
import { ACCESS_KEYS_IN_SCOPE, createdBefore, NOT_KNOWN, scopeValues, type IncidentScope } from './incident-scope.js';

interface Row {
  readonly id: string;
  readonly owner: string | null;
  readonly parent_id: string | null;
  readonly dates: string[];
  readonly total: string;
}

/**
 * The access keys whose keys of the scope were handed out, and the days; at most `limit`, and how many in all. What an
 * edge was given came from a kRegion that its region had been given; what a deputy was given is good in every region.
 */
export async function issuedAccessKeys(
  transaction: Transaction,
  scope: IncidentScope,
  limit: number,
): Promise<Pick<BlastRadius, 'accessKeys' | 'accessKeyCount'>> {
  const { rows } = await transaction.query<Row>(
    `SELECT issued.access_key_id AS id, access_key.owner, access_key.parent_id, issued.dates, count(*) OVER () AS total
       FROM (SELECT access_key_id, array_agg(DISTINCT scope_date ORDER BY scope_date) AS dates
               FROM (SELECT ${ACCESS_KEYS_IN_SCOPE} AS ids) AS scope CROSS JOIN issuance CROSS JOIN unnest(access_key_ids) AS access_key_id
              WHERE rung IN ('kDate', 'kRegion') AND scope_date BETWEEN $1 AND $2 AND ($3::text IS NULL OR region IS NULL OR region = $3)
                AND ($4::text IS NULL OR (access_key_ids && scope.ids AND access_key_id = ANY (scope.ids)))
              GROUP BY access_key_id) AS issued
       LEFT JOIN access_key ON access_key.id = issued.access_key_id
      WHERE ($5::timestamptz IS NULL OR access_key.created_at IS NULL OR access_key.created_at < $5)
      ORDER BY id LIMIT $6`,
    [...scopeValues(scope), createdBefore(scope), limit],
  );
  return {
    accessKeys: rows.map(({ id, owner, parent_id: parent, dates }) => ({
      accessKeyId: id,
      ...(parent !== null && { parentAccessKeyId: parent }),
      owner: owner ?? NOT_KNOWN,
      dates: dates.filter(isScopeDate),
    })),
    accessKeyCount: Number(rows[0]?.total ?? 0),
  };
}
