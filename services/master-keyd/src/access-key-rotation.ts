import type { RotatedAccessKey } from '@sigv4-keyd/hop-protocol';
import { beginChange, present, requireNoneDeleted, requireNoSession } from './access-key-changes.js';
import { makeSecretAccessKey, type RandomBytes } from './access-key-material.js';
import { logOperatorAction, recordOperatorAction, type OperatorAction } from './audit.js';
import type { Author } from './author.js';
import type { Custody } from './custody/custody.js';
import { describeAccessKey, patchAccessKeys, type StoredAccessKey } from './database/access-keys.js';
import { inTransaction, type Transaction } from './database/transaction.js';
import type { MasterFeed } from './feed/master-feed.js';
import { storeNew, type NewAccessKeys } from './new-access-keys.js';
import type { Pool } from 'pg';

export interface AccessKeyRotationOptions {
  readonly pool: Pool;
  readonly feed: MasterFeed;
  readonly custody: Custody;
  readonly random: RandomBytes;
  readonly newAccessKeys: NewAccessKeys;
  readonly now: () => number;
}

/** New secrets for old ones, at once or with both of them good for a while. */
export class AccessKeyRotation {
  readonly #options: AccessKeyRotationOptions;

  constructor(options: AccessKeyRotationOptions) {
    this.#options = options;
  }

  /** When this resolves, the feed that tells of the new secret is served. The answer shows it, this once. */
  async replaceSecret(author: Author, accessKeyId: string): Promise<RotatedAccessKey> {
    const { feed, custody, random } = this.#options;
    const record = this.#record(author, accessKeyId, {});
    const secretAccessKey = makeSecretAccessKey(random);
    const changed = await feed.publish(async (transaction) => {
      // The version of the feed, and not the next number: after a restore from a backup no version is used twice.
      const version = await beginChange(transaction, feed, 1);
      await presentOne(transaction, accessKeyId);
      const sealed = await custody.seal({ accessKeyId, version }, secretAccessKey);
      const changed = await patchAccessKeys(transaction, [accessKeyId], { secret: { version, sealed } });
      await recordOperatorAction(transaction, record);
      return changed;
    });
    logOperatorAction(author.log, record);
    const [accessKey] = changed.map(describeAccessKey);
    if (!accessKey) throw new Error('the access key was locked and is gone');
    return { accessKey: { ...accessKey, secretAccessKey } };
  }

  /** Another access key of the same owner and restrictions; this one ends after `overlapSeconds`, if not sooner. */
  async succeed(author: Author, accessKeyId: string, overlapSeconds: number): Promise<RotatedAccessKey> {
    const { pool, feed, newAccessKeys, now } = this.#options;
    const old = await inTransaction(pool, (transaction) => presentOne(transaction, accessKeyId));
    const { secretAccessKey, ...successor } = await newAccessKeys.make(author, restrictionsOf(old, now()));
    const expiresAt = Math.min(old.expiresAt ?? Infinity, now() + overlapSeconds * 1000);
    const detail = { successor: successor.key.accessKeyId, expiresAt: new Date(expiresAt).toISOString() };
    const record = this.#record(author, accessKeyId, detail);
    const changed = await feed.publish(async (transaction) => {
      await beginChange(transaction, feed, 1);
      await presentOne(transaction, accessKeyId);
      await storeNew(transaction, successor);
      const changed = await patchAccessKeys(transaction, [accessKeyId], { expiresAt });
      await recordOperatorAction(transaction, record);
      return changed;
    });
    logOperatorAction(author.log, successor.record);
    logOperatorAction(author.log, record);
    const [predecessor] = changed.map(describeAccessKey);
    const accessKey = { ...describeAccessKey(successor.key), secretAccessKey };
    return { accessKey, ...(predecessor && { predecessor }) };
  }

  #record({ operator, requestId }: Author, accessKeyId: string, detail: object): OperatorAction {
    return { at: this.#options.now(), operator, action: 'rotate', accessKeyId, detail, requestId };
  }
}

async function presentOne(transaction: Transaction, accessKeyId: string): Promise<StoredAccessKey> {
  const keys = await present(transaction, [accessKeyId]);
  requireNoneDeleted(keys);
  requireNoSession(keys);
  const [key] = keys;
  if (!key) throw new Error('present answers every id');
  return key;
}

/** An expiry that has passed is not passed on: the successor would be born expired. */
function restrictionsOf({ owner, expiresAt, regions, services }: StoredAccessKey, now: number) {
  return {
    owner,
    ...(expiresAt !== undefined && expiresAt > now && { expiresAt: new Date(expiresAt).toISOString() }),
    ...(regions && { regions: [...regions] }),
    ...(services && { services: [...services] }),
  };
}
