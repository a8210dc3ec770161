import { KeydError, type AccessKey, type AccessKeyPinAction } from '@sigv4-keyd/hop-protocol';
import type { Pool } from 'pg';
import type { Author } from './author.js';
import { logOperatorAction, recordOperatorAction, type OperatorAction } from './audit.js';
import { describeAccessKey, setAccessKeysPinned } from './database/access-keys.js';
import { inTransaction } from './database/transaction.js';

export interface AccessKeyPinsOptions {
  readonly pool: Pool;
  readonly now: () => number;
}

/**
 * Pins or unpins access keys, all of them or none, in one transaction with the records. No issuance waits for it: a
 * pin says only which keys are fetched early, never who may have them. Answers in the order that was given.
 */
export async function pinAccessKeys(
  author: Author,
  action: AccessKeyPinAction,
  accessKeyIds: readonly string[],
  { pool, now }: AccessKeyPinsOptions,
): Promise<readonly AccessKey[]> {
  const { operator, requestId, log } = author;
  const at = now();
  const records = accessKeyIds.map((accessKeyId): OperatorAction => ({ at, operator, action, accessKeyId, requestId }));
  const changed = await inTransaction(pool, async (transaction) => {
    const found = await setAccessKeysPinned(transaction, accessKeyIds, action === 'pin');
    const byId = new Map(found.map((key) => [key.accessKeyId, describeAccessKey(key)]));
    const described = accessKeyIds.map((accessKeyId) => {
      const key = byId.get(accessKeyId);
      if (key) return key;
      throw new KeydError('not-found', {
        detail: `${accessKeyId} is no access key, or is deleted; nothing was changed`,
      });
    });
    for (const record of records) await recordOperatorAction(transaction, record);
    return described;
  });
  for (const record of records) logOperatorAction(log, record);
  return changed;
}
