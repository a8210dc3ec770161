import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { errorCodeOf } from '@sigv4-keyd/hop-protocol';
import { StartError, type Logger } from '@sigv4-keyd/service-skeleton';
import type { Pool } from 'pg';
import { lockMigrations } from './locks.js';
import { inTransaction, type Transaction } from './transaction.js';

/** One step of the schema, `NNNN-what.sql`. It is never edited once released: its checksum is in the database. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

const SHIPPED = new URL('../../migrations/', import.meta.url);
const FILE_NAME = /^(\d{4})-[a-z-]+\.sql$/;

/** The steps that this program was shipped with, in order. */
export async function shippedMigrations(folder = SHIPPED): Promise<readonly Migration[]> {
  const migrations: Migration[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const version = Number(FILE_NAME.exec(name)?.[1]);
    if (version !== migrations.length + 1) throw new Error(`migration ${name} is not number ${migrations.length + 1}`);
    const sql = await readFile(new URL(name, folder), 'utf8');
    migrations.push({ version, name, sql, checksum: createHash('sha256').update(sql).digest('hex') });
  }
  return migrations;
}

/**
 * Brings the schema up to date, each step in a transaction of its own under a lock that all replicas take, so that
 * they can start together. Returns the version that the schema has now.
 * @throws StartError
 */
export async function migrate(pool: Pool, migrations: readonly Migration[], log: Logger): Promise<number> {
  try {
    while (await inTransaction(pool, (transaction) => applyNext(transaction, migrations, log))) continue;
  } catch (error) {
    throw error instanceof StartError ? error : failed(error);
  }
  return migrations.length;
}

/** Applies the first step that is missing; false when none is. */
async function applyNext(transaction: Transaction, migrations: readonly Migration[], log: Logger): Promise<boolean> {
  await lockMigrations(transaction);
  await transaction.query(
    `CREATE TABLE IF NOT EXISTS schema_migration (
       version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,
       applied_at timestamptz NOT NULL DEFAULT now())`,
  );
  const applied = await transaction.query<AppliedMigration>(
    'SELECT version, name, checksum FROM schema_migration ORDER BY version',
  );
  checkApplied(applied.rows, migrations);
  const next = migrations[applied.rows.length];
  if (!next) return false;
  await transaction.query(next.sql);
  await transaction.query('INSERT INTO schema_migration (version, name, checksum) VALUES ($1, $2, $3)', [
    next.version,
    next.name,
    next.checksum,
  ]);
  log.info({ migration: next.name }, 'schema migrated');
  return true;
}

function failed(error: unknown): StartError {
  if (errorCodeOf(error) === 'database-unavailable') {
    return new StartError('the database went away while its schema was brought up to date; start again', 69, error);
  }
  return new StartError(
    `the database schema could not be brought up to date (${error instanceof Error ? error.message : 'no reason'}); ` +
      'the user of KEYD_DATABASE_URL must own the schema and be able to create tables',
    69,
    error,
  );
}

interface AppliedMigration {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
}

function checkApplied(applied: readonly AppliedMigration[], migrations: readonly Migration[]): void {
  for (const [index, { version, name, checksum }] of applied.entries()) {
    const shipped = migrations[index];
    if (!shipped) {
      throw new StartError(
        `the database has schema version ${applied.length} (${name}), newer than this program's ` +
          `${migrations.length}; upgrade master-keyd, it never takes a schema back`,
        69,
      );
    }
    if (shipped.version !== version || shipped.checksum !== checksum) {
      throw new StartError(
        `migration ${name} was applied to the database in another form than ${shipped.name} has in this program; ` +
          'install an unchanged release, a migration is never edited after it was applied',
        69,
      );
    }
  }
}
