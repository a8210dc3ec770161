import type { Transaction } from '../database/transaction.js';
import { acceptedValues, IN_SCOPE, type IncidentScope } from './incident-scope.js';

export interface Counted {
  readonly count: number;
  readonly first?: string;
  readonly last?: string;
}

/** The columns of every count of accepted signatures. */
export const COUNTED = 'sum(count) AS count, min(first_at) AS first_at, max(last_at) AS last_at';

export interface CountedRow {
  readonly count: string | null;
  readonly first_at: Date | null;
  readonly last_at: Date | null;
}

export function countedOf({ count, first_at: first, last_at: last }: CountedRow): Counted {
  return {
    count: Number(count ?? 0),
    ...(first && { first: first.toISOString() }),
    ...(last && { last: last.toISOString() }),
  };
}

/** What edges have accepted within the scope, as far as they have reported. */
export async function acceptedWithin(transaction: Transaction, scope: IncidentScope): Promise<Counted> {
  const { rows } = await transaction.query<CountedRow>(
    `SELECT ${COUNTED} FROM acceptance_day WHERE scope_date BETWEEN $1 AND $2 AND ${IN_SCOPE}`,
    [...acceptedValues(scope)],
  );
  return rows[0] ? countedOf(rows[0]) : { count: 0 };
}

/** What edges have accepted of the same days outside the scope. */
export async function acceptedOutside(transaction: Transaction, scope: IncidentScope): Promise<Counted> {
  const { rows } = await transaction.query<CountedRow>(
    `SELECT ${COUNTED} FROM acceptance_day WHERE scope_date BETWEEN $1 AND $2 AND NOT (${IN_SCOPE})`,
    [...acceptedValues(scope)],
  );
  return rows[0] ? countedOf(rows[0]) : { count: 0 };
}
