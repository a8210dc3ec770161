import { StartError } from '@sigv4-keyd/service-skeleton';
import type { Pool } from 'pg';
import { lockMigrations } from '../database/locks.js';
import { anySealed, countSealed } from '../database/sealed-secrets.js';
import { inTransaction, type Transaction } from '../database/transaction.js';
import { SealBroken } from './custody.js';
import { readableKeys, type CustodyKey, type CustodyKeys } from './custody-key.js';
import { open, seal } from './sealing.js';

const BOUND_TO = 'sigv4-keyd custody check';

interface Check {
  /** Null: from before keys had names. */
  readonly key_id: string | null;
  readonly sealed: Buffer;
}

/**
 * Each key that secrets may be sealed with has a row of table custody_check. Refuses to start where one of them is not
 * given: access keys would seem tampered with, and new ones would be sealed with a key that the other replicas do not
 * have. A new key gets its row here; `forgetUnusedKeys` takes the row of an old one away.
 * @throws StartError
 */
export async function checkCustodyKeys(pool: Pool, keys: CustodyKeys): Promise<void> {
  if (keys.current.id === keys.before?.id) {
    throw new StartError('KEYD_CUSTODY_KEY_BEFORE is the same key as KEYD_CUSTODY_KEY; leave it out', 78);
  }
  await inTransaction(pool, async (transaction) => {
    await lockMigrations(transaction);
    const { rows } = await transaction.query<Check>('SELECT key_id, sealed FROM custody_check');
    if (rows.length === 0) await requireNoSecrets(transaction);
    const checked = rows.map((row) => ({ row, openedBy: openedBy(keys, row) }));
    const missing = checked.filter(({ openedBy }) => !openedBy).map(({ row }) => row);
    if (missing.length > 0) await requireUnused(transaction, missing, checked.length);
    await transaction.query('DELETE FROM custody_check WHERE key_id IS NULL OR key_id = ANY($1)', [
      missing.map(({ key_id: id }) => id),
    ]);
    for (const { openedBy } of checked) if (openedBy) await insertCheck(transaction, openedBy);
    await insertCheck(transaction, keys.current);
  });
}

/** In the transaction that has seen that no secret is sealed with another key. */
export async function forgetUnusedKeys(transaction: Transaction, usedKeyId: string): Promise<void> {
  await transaction.query('DELETE FROM custody_check WHERE key_id <> $1', [usedKeyId]);
}

function openedBy(keys: CustodyKeys, { sealed }: Check): CustodyKey | undefined {
  return readableKeys(keys).find((key) => {
    try {
      return open({ current: key }, BOUND_TO, sealed).length > 0;
    } catch (error) {
      if (error instanceof SealBroken) return false;
      throw error;
    }
  });
}

async function insertCheck(transaction: Transaction, key: CustodyKey): Promise<void> {
  const sealed = seal(key, BOUND_TO, Buffer.from(BOUND_TO, 'utf8'));
  await transaction.query(
    'INSERT INTO custody_check (key_id, sealed) VALUES ($1, $2) ON CONFLICT (key_id) DO NOTHING',
    [key.id, sealed],
  );
}

async function requireNoSecrets(transaction: Transaction): Promise<void> {
  if (!(await anySealed(transaction))) return;
  throw new StartError(
    'the database holds access keys but not the row by which the custody key is checked; ' +
      'restore table custody_check from a backup',
    78,
  );
}

/** A key that was tried, with nothing sealed with it, is let go, but never the last one that there is. */
async function requireUnused(transaction: Transaction, missing: readonly Check[], all: number): Promise<void> {
  const sealed = missing.length < all ? await countSealed(transaction) : undefined;
  const isUsed = (id: string | null): boolean =>
    sealed?.some(({ keyId }) => keyId === id || keyId === undefined || id === null) ?? true;
  const used = missing.filter(({ key_id: id }) => isUsed(id)).map(({ key_id: id }) => id ?? 'from before keys had ids');
  if (used.length === 0) return;
  throw new StartError(
    'KEYD_CUSTODY_KEY is not the key that the secrets in this database are sealed with ' +
      `(custody key ${used.join(', ')}); give the key that was used before, as KEYD_CUSTODY_KEY, ` +
      'or as KEYD_CUSTODY_KEY_BEFORE while keys are rotated, or another database',
    78,
  );
}
