import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Pool } from 'pg';
import { query } from './transaction.js';

/** What one region or deputy was given of one day. */
export interface IssuedDay {
  readonly peer: string;
  readonly date: string;
  /** Different access keys. */
  readonly accessKeys: number;
  /** Epoch milliseconds. */
  readonly lastIssuedAt: number;
}

/** What each region and deputy was given for `oldest` and the days after it. */
export async function issuedDays(pool: Pool, oldest: ScopeDate): Promise<readonly IssuedDay[]> {
  const rows = await query<{
    readonly peer: string;
    readonly scope_date: string;
    readonly access_keys: number;
    readonly last_issued_at: Date;
  }>(
    pool,
    `SELECT peer, scope_date, count(DISTINCT access_key_id)::integer AS access_keys, max(issued_at) AS last_issued_at
       FROM issuance CROSS JOIN unnest(access_key_ids) AS access_key_id
      WHERE rung IN ('kDate', 'kRegion') AND scope_date >= $1
      GROUP BY peer, scope_date ORDER BY peer, scope_date`,
    [oldest],
  );
  return rows.map((row) => ({
    peer: row.peer,
    date: row.scope_date,
    accessKeys: row.access_keys,
    lastIssuedAt: row.last_issued_at.getTime(),
  }));
}

/** Every region that was ever given a key; steps through the index from one to the next, not through all records. */
export async function everIssuedTo(pool: Pool): Promise<readonly string[]> {
  const rows = await query<{ readonly peer: string }>(
    pool,
    `WITH RECURSIVE step AS (
       SELECT min(peer) AS peer FROM issuance WHERE rung = 'kRegion'
       UNION ALL
       SELECT (SELECT min(peer) FROM issuance WHERE rung = 'kRegion' AND peer > step.peer) FROM step WHERE step.peer IS NOT NULL
     )
     SELECT peer FROM step WHERE peer IS NOT NULL`,
  );
  return rows.map(({ peer }) => peer);
}
