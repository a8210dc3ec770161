import { MOST_CALLS_A_PAGE, WANTED, type AskedCalls, type IssuedCounts, type Wanted } from '@sigv4-keyd/hop-protocol';
import { isScopeDate, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Pool } from 'pg';
import { query } from './transaction.js';

export interface AskedCall {
  readonly call: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** The SPIFFE id of the master that asks. */
  readonly master: string;
  readonly want: Wanted;
  /** Of kDate alone. */
  readonly date?: ScopeDate;
  /** How many secrets. */
  readonly asked: number;
}

/** Durable when it resolves. */
export async function recordAskedCall(pool: Pool, { call, at, master, want, date, asked }: AskedCall): Promise<void> {
  await query(
    pool,
    'INSERT INTO custody_call (id, asked_at, master, want, scope_date, asked) VALUES ($1, $2, $3, $4, $5, $6)',
    [call, new Date(at), master, want, date ?? null, asked],
  );
}

export async function forgetAskedCalls(pool: Pool, before: number): Promise<void> {
  await query(pool, 'DELETE FROM custody_call WHERE asked_at < $1', [new Date(before)]);
}

interface Row {
  readonly id: string;
  readonly asked_at: Date;
  readonly master: string;
  readonly want: string;
  readonly scope_date: string | null;
  readonly asked: number;
}

/** In the order of the ids. */
export async function pageOfAskedCalls(pool: Pool, after: string | undefined): Promise<AskedCalls> {
  const rows = await query<Row>(
    pool,
    `SELECT id, asked_at, master, want, scope_date, asked FROM custody_call
      WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2`,
    [after ?? null, MOST_CALLS_A_PAGE],
  );
  const calls = rows.flatMap(({ id: call, asked_at: at, master, want, scope_date: date, asked }) => {
    const known = WANTED.find((each) => each === want);
    const common = { call, at: at.toISOString(), master, asked };
    return known ? [{ ...common, want: known, ...(date !== null && isScopeDate(date) && { date }) }] : [];
  });
  const next = rows.length === MOST_CALLS_A_PAGE ? rows.at(-1)?.id : undefined;
  return { calls, ...(next !== undefined && { next }) };
}

/** Access keys that masters recorded as issued, of dates from the first one on: each took a kDate. */
export async function issuedByMasters(pool: Pool, first: ScopeDate): Promise<IssuedCounts> {
  const rows = await query<{ readonly issuer: string; readonly scope_date: string; readonly keys: number }>(
    pool,
    `SELECT issuer, scope_date, sum(cardinality(access_key_ids))::double precision AS keys FROM issuance
      WHERE scope_date >= $1 AND rung IN ('kDate', 'kRegion') AND split_part(issuer, '/', 4) = 'master'
      GROUP BY issuer, scope_date ORDER BY scope_date, issuer`,
    [first],
  );
  const issued = rows.flatMap(({ issuer: master, scope_date: date, keys }) =>
    isScopeDate(date) ? [{ master, date, keys }] : [],
  );
  return { first, issued };
}
