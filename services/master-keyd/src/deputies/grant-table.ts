import { randomUUID } from 'node:crypto';
import type { DeputyGrant, GrantedDays } from '@sigv4-keyd/hop-protocol';
import { isScopeDate, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Transaction } from '../database/transaction.js';

interface Row {
  readonly deputy: string;
  readonly first_date: string;
  readonly last_date: string;
  readonly reason: string;
  readonly author: string;
  readonly at: Date;
  readonly withdrawn_by: string | null;
  readonly withdrawn_at: Date | null;
}

const COLUMNS = 'deputy, first_date, last_date, reason, author, at, withdrawn_by, withdrawn_at';

export interface NewGrant extends GrantedDays {
  readonly deputy: string;
  readonly reason: string;
  readonly author: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

export async function insertGrant(transaction: Transaction, grant: NewGrant): Promise<DeputyGrant> {
  const { deputy, from, to, reason, author, at } = grant;
  const { rows } = await transaction.query<Row>(
    `INSERT INTO deputy_grant (id, deputy, first_date, last_date, reason, author, at)
     VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING ${COLUMNS}`,
    [randomUUID(), deputy, from, to, reason, author, new Date(at)],
  );
  const [row] = rows;
  if (!row) throw new Error('a row that was inserted is there');
  return grantOf(row);
}

/** Every grant that was ever made; the newest last. */
export async function allGrants(transaction: Transaction): Promise<readonly DeputyGrant[]> {
  const { rows } = await transaction.query<Row>(`SELECT ${COLUMNS} FROM deputy_grant ORDER BY at, id`);
  return rows.map(grantOf);
}

/** What a deputy may have of `oldest` and the days after it. */
export async function grantsInForce(
  transaction: Transaction,
  deputy: string,
  oldest: ScopeDate,
): Promise<readonly GrantedDays[]> {
  const { rows } = await transaction.query<Row>(
    `SELECT ${COLUMNS} FROM deputy_grant
      WHERE deputy = $1 AND withdrawn_at IS NULL AND last_date >= $2 ORDER BY first_date, last_date, id`,
    [deputy, oldest],
  );
  return rows.map(grantOf).map(({ from, to }) => ({ from, to }));
}

/** Of all deputies: grants that were not withdrawn and whose last day is `today` or a later one. */
export async function countGrants(transaction: Transaction, today: ScopeDate): Promise<number> {
  const { rows } = await transaction.query<{ readonly grants: number }>(
    'SELECT count(*)::int AS grants FROM deputy_grant WHERE withdrawn_at IS NULL AND last_date >= $1',
    [today],
  );
  return rows[0]?.grants ?? 0;
}

export async function isGranted(transaction: Transaction, deputy: string, date: ScopeDate): Promise<boolean> {
  const { rows } = await transaction.query(
    `SELECT FROM deputy_grant
      WHERE deputy = $1 AND withdrawn_at IS NULL AND last_date >= $2 AND first_date <= $2 LIMIT 1`,
    [deputy, date],
  );
  return rows.length > 0;
}

/** Withdraws all grants of a deputy that have not been withdrawn. Returns them. */
export async function withdrawGrants(
  transaction: Transaction,
  { deputy, author, at }: { readonly deputy: string; readonly author: string; readonly at: number },
): Promise<readonly DeputyGrant[]> {
  const { rows } = await transaction.query<Row>(
    `UPDATE deputy_grant SET withdrawn_by = $2, withdrawn_at = $3
      WHERE deputy = $1 AND withdrawn_at IS NULL RETURNING ${COLUMNS}`,
    [deputy, author, new Date(at)],
  );
  return rows.map(grantOf);
}

function grantOf(row: Row): DeputyGrant {
  const { deputy, reason, author: by, at, withdrawn_by: withdrawer, withdrawn_at: withdrawnAt } = row;
  return {
    deputy,
    from: dayOf(row.first_date),
    to: dayOf(row.last_date),
    reason,
    by,
    at: at.toISOString(),
    ...(withdrawer !== null &&
      withdrawnAt !== null && { withdrawn: { by: withdrawer, at: withdrawnAt.toISOString() } }),
  };
}

function dayOf(text: string): ScopeDate {
  if (!isScopeDate(text)) throw new Error(`${text} is no day: the table deputy_grant was changed by hand`);
  return text;
}
