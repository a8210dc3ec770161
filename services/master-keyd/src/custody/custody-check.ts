import { StartError } from '@sigv4-keyd/service-skeleton';
import type { Pool } from 'pg';
import { lockMigrations } from '../database/locks.js';
import { anySealed, countSealed } from '../database/sealed-secrets.js';
import { inTransaction, type Transaction } from '../database/transaction.js';

/** A key that secrets may be sealed with, as far as the check has to know it. */
export interface CheckedKey {
  /** 16 hexadecimal digits. */
  readonly id: string;
  /** The variable that gives it. */
  readonly setting: string;
  /** What this key alone makes: stored, so that every master can tell whether it has the key. */
  prove(): Buffer | Promise<Buffer>;
  isProvenBy(check: Check): boolean | Promise<boolean>;
}

export interface CheckedKeys {
  /** New seals are made with it. */
  readonly current: CheckedKey;
  readonly before: readonly CheckedKey[];
  /** The variables by which a key from before can be given. */
  readonly settingsBefore: readonly string[];
}

/** A row of table custody_check. */
export interface Check {
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
export async function checkCustodyKeys(pool: Pool, { current, before, settingsBefore }: CheckedKeys): Promise<void> {
  const keys = [current, ...before];
  for (const key of before) {
    if (key.id !== current.id) continue;
    throw new StartError(`${key.setting} is the same key as ${current.setting}; leave it out`, 78);
  }
  await inTransaction(pool, async (transaction) => {
    await lockMigrations(transaction);
    const { rows } = await transaction.query<Check>('SELECT key_id, sealed FROM custody_check');
    if (rows.length === 0) await requireNoSecrets(transaction);
    const proven = new Set([current]);
    const missing: Check[] = [];
    for (const row of rows) {
      const key = await provenBy(keys, row);
      if (key) proven.add(key);
      else missing.push(row);
    }
    if (missing.length > 0) {
      await requireUnused(transaction, missing, { current, settingsBefore, isAny: missing.length < rows.length });
    }
    await transaction.query('DELETE FROM custody_check WHERE key_id IS NULL OR key_id = ANY($1)', [
      missing.map(({ key_id: id }) => id),
    ]);
    for (const key of proven) await insertCheck(transaction, key);
  });
}

/** In the transaction that has seen that no secret is sealed with another key. */
export async function forgetUnusedKeys(transaction: Transaction, usedKeyId: string): Promise<void> {
  await transaction.query('DELETE FROM custody_check WHERE key_id <> $1', [usedKeyId]);
}

async function provenBy(keys: readonly CheckedKey[], check: Check): Promise<CheckedKey | undefined> {
  for (const key of keys) if (await key.isProvenBy(check)) return key;
  return undefined;
}

async function insertCheck(transaction: Transaction, key: CheckedKey): Promise<void> {
  await transaction.query(
    'INSERT INTO custody_check (key_id, sealed) VALUES ($1, $2) ON CONFLICT (key_id) DO NOTHING',
    [key.id, await key.prove()],
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
async function requireUnused(
  transaction: Transaction,
  missing: readonly Check[],
  {
    current: { setting },
    settingsBefore,
    isAny,
  }: Pick<CheckedKeys, 'current' | 'settingsBefore'> & { readonly isAny: boolean },
): Promise<void> {
  const sealed = isAny ? await countSealed(transaction) : undefined;
  const isUsed = (id: string | null): boolean =>
    sealed?.some(({ keyId }) => keyId === id || keyId === undefined || id === null) ?? true;
  const used = missing.filter(({ key_id: id }) => isUsed(id)).map(({ key_id: id }) => id ?? 'from before keys had ids');
  if (used.length === 0) return;
  throw new StartError(
    `${setting} is not the key that the secrets in this database are sealed with ` +
      `(custody key ${used.join(', ')}); give the key that was used before, as ${setting}, ` +
      `or as ${settingsBefore.join(' or ')} while keys are rotated, or another database`,
    78,
  );
}
