import type { KeyObject } from 'node:crypto';
import { StartError } from '@sigv4-keyd/service-skeleton';
import type { Pool } from 'pg';
import { lockMigrations } from '../database/locks.js';
import { inTransaction, type Transaction } from '../database/transaction.js';
import { SealBroken } from './custody.js';
import { open, seal } from './sealing.js';

const BOUND_TO = 'sigv4-keyd custody check';

/**
 * Refuses to start with another custody key than the one that the secrets were sealed with: each access key would seem
 * tampered with, and new ones would be sealed with a key that the other replicas do not have.
 * @throws StartError
 */
export async function checkCustodyKey(pool: Pool, custodyKey: KeyObject): Promise<void> {
  const sealed = await inTransaction(pool, (transaction) => storedCheck(transaction, custodyKey));
  try {
    open(custodyKey, BOUND_TO, sealed);
  } catch (error) {
    if (!(error instanceof SealBroken)) throw error;
    throw new StartError(
      'KEYD_CUSTODY_KEY is not the key that the secrets in this database are sealed with; ' +
        'give the key that was used before, or another database',
      78,
      error,
    );
  }
}

async function storedCheck(transaction: Transaction, custodyKey: KeyObject): Promise<Buffer> {
  await lockMigrations(transaction);
  const stored = await transaction.query<{ readonly sealed: Buffer }>('SELECT sealed FROM custody_check');
  if (stored.rows[0]) return stored.rows[0].sealed;
  const secrets = await transaction.query('SELECT 1 FROM access_key WHERE sealed_secret IS NOT NULL LIMIT 1');
  if (secrets.rows.length > 0) {
    throw new StartError(
      'the database holds access keys but not the row by which the custody key is checked; ' +
        'restore table custody_check from a backup',
      78,
    );
  }
  const sealed = seal(custodyKey, BOUND_TO, Buffer.from(BOUND_TO, 'utf8'));
  await transaction.query('INSERT INTO custody_check (only_row, sealed) VALUES (true, $1)', [sealed]);
  return sealed;
}
