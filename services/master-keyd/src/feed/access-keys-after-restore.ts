import { ChangedAccessKeys, type AccessKeyChange, type SignedPage } from '@sigv4-keyd/revocation';
import { findAccessKeys, type StoredAccessKey } from '../database/access-keys.js';
import { restoreAccessKeys, type RestoredAccessKey } from '../database/restore-access-keys.js';
import type { Transaction } from '../database/transaction.js';

/** What the pages of the feed brought back to access keys. */
export interface AccessKeysBack {
  /** How many are other than the backup had them. */
  readonly changed: number;
  /** Those whose newest secret was lost with the database: they are disabled until they get another. */
  readonly lostSecrets: readonly string[];
}

/**
 * A backup knows access keys as they were. Pages that were published since say what became of them: nothing that was
 * disabled, deleted or restricted comes back with the backup. The next beacon tells of all that this changes.
 */
export async function bringAccessKeysBack(
  transaction: Transaction,
  pages: readonly SignedPage[],
): Promise<AccessKeysBack> {
  const changes = ChangedAccessKeys.of(pages);
  const ids = pages.flatMap(({ page }) => page.changes.map(({ accessKeyId }) => accessKeyId));
  const stored = await findAccessKeys(transaction, [...new Set(ids)]);
  const back = [...stored.values()].flatMap((key) => {
    const change = changes.get(key.accessKeyId);
    return change !== undefined && change.change > (key.changedIn ?? 0) ? [restored(key, change)] : [];
  });
  await restoreAccessKeys(transaction, back);
  const lostSecrets = back.filter(({ isSecretLost }) => isSecretLost).map(({ accessKeyId }) => accessKeyId);
  return { changed: back.length, lostSecrets: lostSecrets.sort() };
}

function restored(
  { accessKeyId, version, status }: StoredAccessKey,
  { secretVersion, expiresAt, regions, services, ...change }: AccessKeyChange,
): RestoredAccessKey {
  const isDeleted = status === 'deleted' || change.status === 'deleted';
  const isSecretLost = !isDeleted && secretVersion > version;
  const alive = isSecretLost ? 'disabled' : change.status;
  return {
    accessKeyId,
    status: isDeleted ? 'deleted' : alive,
    expiresAt: expiresAt ?? null,
    regions: regions ?? null,
    services: services ?? null,
    // The seal of the old secret does not open under the new version, so that it cannot come back by mistake.
    version: Math.max(version, secretVersion),
    isSecretLost,
  };
}
