import type { IncidentReport } from '@sigv4-keyd/hop-protocol';
import { parseScopeDate, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Transaction } from '../database/transaction.js';
import { COUNTED, countedOf, type Counted, type CountedRow } from './accepted-totals.js';
import { acceptedValues, IN_SCOPE, type IncidentScope } from './incident-scope.js';

export interface AcceptedAccessKey {
  readonly counted: Counted;
  readonly accessKeyId: string;
  readonly owner: string;
  /** Epoch milliseconds; absent for an access key that this database does not know. */
  readonly createdAt?: number;
}

const WITHIN = `acceptance_day WHERE scope_date BETWEEN $1 AND $2 AND ${IN_SCOPE}`;

/** The access keys with the most accepted signatures in the scope. */
export async function acceptedByAccessKey(
  transaction: Transaction,
  scope: IncidentScope,
  limit: number,
): Promise<readonly AcceptedAccessKey[]> {
  const { rows } = await transaction.query<
    CountedRow & { readonly id: string; readonly owner: string | null; readonly created_at: Date | null }
  >(
    `SELECT counted.*, access_key.owner, access_key.created_at
       FROM (SELECT access_key_id AS id, ${COUNTED} FROM ${WITHIN}
              GROUP BY access_key_id ORDER BY count DESC, id LIMIT $7) AS counted
       LEFT JOIN access_key USING (id) ORDER BY count DESC, id`,
    [...acceptedValues(scope), limit],
  );
  return rows.map((row) => ({
    accessKeyId: row.id,
    owner: row.owner ?? '(not known here)',
    ...(row.created_at && { createdAt: row.created_at.getTime() }),
    counted: countedOf(row),
  }));
}

/** The edges that accepted the most. */
export async function acceptedByEdge(
  transaction: Transaction,
  scope: IncidentScope,
  limit: number,
): Promise<IncidentReport['accepted']['byEdge']> {
  const { rows } = await transaction.query<
    CountedRow & { readonly edge: string; readonly region: string; readonly service: string }
  >(
    `SELECT edge, region, service, ${COUNTED} FROM ${WITHIN}
      GROUP BY edge, region, service ORDER BY count DESC, edge LIMIT $7`,
    [...acceptedValues(scope), limit],
  );
  return rows.map((row) => ({ edge: row.edge, region: row.region, service: row.service, ...countedOf(row) }));
}

/** The days in order, each region apart; the newest where there are more than `limit`. */
export async function acceptedByDay(
  transaction: Transaction,
  scope: IncidentScope,
  limit: number,
): Promise<IncidentReport['accepted']['byDay']> {
  const { rows } = await transaction.query<CountedRow & { readonly scope_date: string; readonly region: string }>(
    `SELECT scope_date, region, ${COUNTED} FROM ${WITHIN}
      GROUP BY scope_date, region ORDER BY scope_date DESC, region DESC LIMIT $7`,
    [...acceptedValues(scope), limit],
  );
  return rows.reverse().flatMap((row) => {
    const scopeDate = parseScopeDate(row.scope_date);
    return scopeDate === undefined ? [] : [{ scopeDate, region: row.region, ...countedOf(row) }];
  });
}

export interface AcceptedScope {
  readonly accessKeyId: string;
  readonly region: string;
  readonly service: string;
  readonly date: ScopeDate;
}

/** Every credential scope in which signatures of these access keys were accepted. */
export async function acceptedScopes(
  transaction: Transaction,
  scope: IncidentScope,
  accessKeyIds: readonly string[],
): Promise<readonly AcceptedScope[]> {
  const { rows } = await transaction.query<{
    readonly access_key_id: string;
    readonly region: string;
    readonly service: string;
    readonly scope_date: string;
  }>(
    `SELECT DISTINCT access_key_id, region, service, scope_date FROM ${WITHIN} AND access_key_id = ANY($7)`,
    [...acceptedValues(scope), [...accessKeyIds]],
  );
  return rows.flatMap(({ access_key_id: accessKeyId, region, service, scope_date }) => {
    const date = parseScopeDate(scope_date);
    return date === undefined ? [] : [{ accessKeyId, region, service, date }];
  });
}
