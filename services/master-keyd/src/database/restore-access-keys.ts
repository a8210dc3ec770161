import type { AccessKeyStatus } from '@sigv4-keyd/revocation';
import type { Transaction } from './transaction.js';

/** An access key as it is to be after a restore from a backup. */
export interface RestoredAccessKey {
  readonly accessKeyId: string;
  readonly status: AccessKeyStatus;
  /** Epoch milliseconds; null: never. */
  readonly expiresAt: number | null;
  readonly regions: readonly string[] | null;
  readonly services: readonly string[] | null;
  readonly version: number;
  readonly isSecretLost: boolean;
}

/** Changes many access keys, each in its own way; the next beacon tells of it. The feed must be locked. */
export async function restoreAccessKeys(transaction: Transaction, keys: readonly RestoredAccessKey[]): Promise<void> {
  await transaction.query(
    `UPDATE access_key AS key SET
       status = back.status,
       expires_at = to_timestamp(back."expiresAt" / 1000.0),
       regions = back.regions,
       services = back.services,
       version = back.version,
       sealed_secret = CASE WHEN back.status = 'deleted' THEN NULL ELSE key.sealed_secret END,
       pinned = key.pinned AND back.status <> 'deleted',
       changed_in = NULL
     FROM jsonb_to_recordset($1) AS back ("accessKeyId" text, status text, "expiresAt" double precision,
                                          regions text[], services text[], version integer)
     WHERE key.id = back."accessKeyId"`,
    [JSON.stringify(keys)],
  );
}
