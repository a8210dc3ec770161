import type { Logger } from '@sigv4-keyd/service-skeleton';
import type { Clock } from '@sigv4-keyd/hop-protocol';
import { waitForDatabase } from './connect.js';
import { migrate, shippedMigrations } from './migrate.js';
import { MIGRATION_WITHIN_MS, openPool } from './pool.js';

/**
 * Waits for the database and brings its schema up to date, over a connection of its own whose statements may take
 * long. Returns the version of the schema.
 * @throws StartError
 */
export async function prepareDatabase(
  databaseUrl: string,
  options: { readonly clock: Clock; readonly log: Logger; readonly waitSeconds: number },
): Promise<number> {
  const pool = openPool(databaseUrl, options.log, MIGRATION_WITHIN_MS);
  try {
    await waitForDatabase(pool, options);
    return await migrate(pool, await shippedMigrations(), options.log);
  } finally {
    await pool.end();
  }
}
