import {
  isLift,
  verifyStatements,
  type PinnedKeys,
  type RefusedStatement,
  type SignedStatement,
} from '@sigv4-keyd/revocation';
import type { Pool } from 'pg';
import { query, type Transaction } from '../database/transaction.js';

/** All statements up to a position. Never changed; what is learned makes a new one. */
export interface KnownStatements {
  /** The position of the next one. */
  readonly next: number;
  readonly statements: readonly SignedStatement[];
  /** Those in the database that no pinned key signed: they are not published. */
  readonly refused: readonly RefusedStatement[];
}

export const NO_STATEMENTS: KnownStatements = { next: 0, statements: [], refused: [] };

/** Reads what was stored since. The feed must be locked or held. */
export async function learnStatements(
  transaction: Transaction,
  known: KnownStatements,
  keys: PinnedKeys,
): Promise<KnownStatements> {
  const { rows } = await transaction.query<{ readonly jws: string }>(
    'SELECT jws FROM revocation_statement WHERE position >= $1 ORDER BY position',
    [known.next],
  );
  if (rows.length === 0) return known;
  const { verified, refused } = await verifyStatements(
    rows.map(({ jws }) => jws),
    keys,
  );
  return {
    next: known.next + rows.length,
    statements: [...known.statements, ...verified.values()],
    refused: [...known.refused, ...refused.map(({ index, code }) => ({ index: known.next + index, code }))],
  };
}

/**
 * Stores a statement for good. False when it is there already, or, for a lift, when what it lifts is not there or is
 * lifted. The feed must be locked.
 */
export async function insertStatement(transaction: Transaction, signed: SignedStatement): Promise<boolean> {
  const { statement, digest, jws } = signed;
  const inserted = await transaction.query(
    `INSERT INTO revocation_statement (position, digest, id, kind, lifts, incident, last_date, signed_at, jws, named_in)
     SELECT (SELECT count(*) FROM revocation_statement), $1, $2, $3, $4, $5, $6, $7, $8,
            (SELECT version + 1 FROM feed_beacon)
      WHERE NOT EXISTS (SELECT FROM revocation_statement WHERE digest = $1 OR id = $2 OR lifts = $4)
        AND ($4 IS NULL OR EXISTS (SELECT FROM revocation_statement WHERE digest = $4 AND kind = 'revocation'))`,
    [
      digest,
      statement.id,
      statement.kind,
      isLift(signed) ? signed.statement.lifts : null,
      statement.incident,
      statement.to,
      statement.at,
      jws,
    ],
  );
  return inserted.rowCount === 1;
}

/** The version of the first beacon that names each of these statements, by digest. */
export async function firstBeaconsOf(pool: Pool, digests: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const rows = await query<{ readonly digest: string; readonly named_in: number }>(
    pool,
    'SELECT digest, named_in::double precision AS named_in FROM revocation_statement WHERE digest = ANY ($1)',
    [digests],
  );
  return new Map(rows.map(({ digest, named_in: namedIn }) => [digest, namedIn]));
}
