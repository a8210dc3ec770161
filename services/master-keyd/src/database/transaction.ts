import { withinSpan } from '@sigv4-keyd/hop-protocol';
import type { Pool, PoolClient } from 'pg';
import { answerable, isConnectionLost } from './database-error.js';
import { statementSpan, tracedConnection, tracerOf } from './traced-statements.js';

/** A connection with a transaction open on it: what runs here becomes durable as a whole, or not at all. */
export type Transaction = Pick<PoolClient, 'query'>;

/**
 * Runs `work` in a transaction. Resolves only once the commit is durable; a result is never released without it.
 * Rejects with KeydError 'database-unavailable' when the database is out of reach.
 */
export async function inTransaction<Result>(
  pool: Pool,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  const tracer = tracerOf(pool);
  let client: PoolClient;
  try {
    const connected = await pool.connect();
    client = tracer ? tracedConnection(connected, tracer) : connected;
  } catch (error) {
    throw answerable(error);
  }
  let brokenBy: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    brokenBy = await rollBack(client, error);
    throw answerable(error);
  } finally {
    client.release(brokenBy);
  }
}

/** One statement outside a transaction, with the same errors. */
export async function query<Row extends object>(
  pool: Pool,
  text: string,
  values: readonly unknown[] = [],
): Promise<readonly Row[]> {
  const tracer = tracerOf(pool);
  const run = async (): Promise<readonly Row[]> => (await pool.query<Row>(text, [...values])).rows;
  try {
    return await withinSpan(tracer, statementSpan(text), run);
  } catch (error) {
    throw answerable(error);
  }
}

/** Why the connection can no longer be used; undefined when it can. */
async function rollBack(client: PoolClient, failure: unknown): Promise<Error | undefined> {
  // A connection that hangs would let the rollback wait as long again.
  if (failure instanceof Error && isConnectionLost(failure)) return failure;
  try {
    await client.query('ROLLBACK');
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
