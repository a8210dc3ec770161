import type { GrantedDays, StatusAnswer } from '@sigv4-keyd/hop-protocol';
import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Pool } from 'pg';
import { heardDeputies } from '../database/tier-reports.js';
import { inTransaction } from '../database/transaction.js';
import { allGrants } from './grant-table.js';

type DeputyStatus = Omit<StatusAnswer['deputies'][number], 'issued'>;

/** Every deputy that has reported or has a grant of `oldest` or a later day. */
export async function deputyStatus(pool: Pool, oldest: ScopeDate): Promise<readonly DeputyStatus[]> {
  const [heard, grants] = await Promise.all([heardDeputies(pool), inTransaction(pool, allGrants)]);
  const inForce = new Map<string, GrantedDays[]>();
  for (const { deputy, from, to, withdrawn } of grants) {
    if (withdrawn || to < oldest) continue;
    inForce.set(deputy, [...(inForce.get(deputy) ?? []), { from, to }]);
  }
  const reports = new Map(heard.map((deputy) => [deputy.spiffeId, deputy]));
  return [...new Set([...reports.keys(), ...inForce.keys()])].sort().map((spiffeId) => {
    const known = reports.get(spiffeId);
    return {
      spiffeId,
      grants: inForce.get(spiffeId) ?? [],
      ...(known && { heardAt: new Date(known.heardAt).toISOString(), report: known.report }),
    };
  });
}
