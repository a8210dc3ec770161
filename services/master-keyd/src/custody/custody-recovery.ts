import { wrapCustodyKey, type CustodyRecoveries, type RecoveryPublicKey } from '@sigv4-keyd/hop-protocol';
import type { Pool } from 'pg';
import { query } from '../database/transaction.js';
import { readableKeys, type CustodyKeys } from './custody-key.js';

/** Every custody key that this master has can be had back from the shares of the recovery key, from now on. */
export async function keepRecoverable(
  pool: Pool,
  { keys, recovery, now }: { readonly keys: CustodyKeys; readonly recovery: RecoveryPublicKey; readonly now: number },
): Promise<void> {
  for (const { key } of readableKeys(keys)) {
    const { custodyKeyId, recoveryKeyId, line } = wrapCustodyKey(key, recovery);
    await query(
      pool,
      `INSERT INTO custody_recovery (key_id, recovery_key_id, made_at, line) VALUES ($1, $2, $3, $4)
       ON CONFLICT (key_id, recovery_key_id) DO NOTHING`,
      [custodyKeyId, recoveryKeyId, new Date(now), line],
    );
  }
}

/** The newest first. */
export async function readRecoveries(pool: Pool): Promise<CustodyRecoveries> {
  const rows = await query<{ readonly made_at: Date; readonly line: string }>(
    pool,
    'SELECT made_at, line FROM custody_recovery ORDER BY made_at DESC, key_id, recovery_key_id LIMIT 1000',
  );
  return { wrapped: rows.map(({ made_at: madeAt, line }) => ({ madeAt: madeAt.toISOString(), line })) };
}
