import { startOfScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Transaction } from '../database/transaction.js';
import type { IncidentScope } from './incident-scope.js';

/** Roll-ups of the scope's edges that never came, told since the first day: of which days they were nobody knows. */
export async function droppedRollups(transaction: Transaction, scope: IncidentScope): Promise<number> {
  const { rows } = await transaction.query<{ readonly dropped: string | null }>(
    `SELECT sum(dropped) AS dropped FROM acceptance_batch
      WHERE dropped > 0 AND received_at >= $1 AND ($2::text IS NULL OR region = $2) AND ($3::text IS NULL OR service = $3)`,
    [new Date(startOfScopeDate(scope.from)), scope.region ?? null, scope.service ?? null],
  );
  return Number(rows[0]?.dropped ?? 0);
}
