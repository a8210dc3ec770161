import type { Logger } from '@sigv4-keyd/service-skeleton';
import type { Clock } from '@sigv4-keyd/hop-protocol';
import { waitForDatabase, warnOfLossByFailover } from './connect.js';
import type { DatabaseHosts } from './database-hosts.js';
import { migrate, shippedMigrations } from './migrate.js';
import { MIGRATION_WITHIN_MS, openPool } from './pool.js';

/**
 * Waits for the database and brings its schema up to date, over a connection of its own whose statements may take
 * long. Returns the version of the schema.
 * @throws StartError
 */
export async function prepareDatabase(
  hosts: DatabaseHosts,
  options: { readonly clock: Clock; readonly log: Logger; readonly waitSeconds: number },
): Promise<number> {
  const pool = openPool(hosts, options.log, { statementWithinMs: MIGRATION_WITHIN_MS });
  try {
    await waitForDatabase(pool, options);
    if (hosts.count > 1) await warnOfLossByFailover(pool, options.log);
    return await migrate(pool, await shippedMigrations(), options.log);
  } finally {
    await pool.end();
  }
}
