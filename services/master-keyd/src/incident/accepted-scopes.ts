import { parseScopeDate, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Transaction } from '../database/transaction.js';
import { acceptedValues, IN_SCOPE, type IncidentScope } from './incident-scope.js';

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
    `SELECT DISTINCT access_key_id, region, service, scope_date FROM acceptance_day
      WHERE scope_date BETWEEN $1 AND $2 AND ${IN_SCOPE} AND access_key_id = ANY($7)`,
    [...acceptedValues(scope), [...accessKeyIds]],
  );
  return rows.flatMap(({ access_key_id: accessKeyId, region, service, scope_date }) => {
    const date = parseScopeDate(scope_date);
    return date === undefined ? [] : [{ accessKeyId, region, service, date }];
  });
}
