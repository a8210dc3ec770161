import { KeydError, type ChangedAccessKeysAnswer, type WantedAccessKeyChange } from '@sigv4-keyd/hop-protocol';
import { MOST_CHANGES_A_PAGE, MOST_PAGES } from '@sigv4-keyd/revocation';
import { scopeDateOf } from '@sigv4-keyd/sigv4-core';
import type { Pool } from 'pg';
import { logAccessKeyChanges, recordOperatorActions, type OperatorAction } from './audit.js';
import type { Author } from './author.js';
import { SealBroken, type Custody } from './custody/custody.js';
import {
  describeAccessKey,
  findAccessKeys,
  patchAccessKeys,
  type AccessKeyPatch,
  type StoredAccessKey,
} from './database/access-keys.js';
import { lockForChanging } from './database/locks.js';
import { inTransaction, type Transaction } from './database/transaction.js';
import { lockFeed } from './feed/feed-row.js';
import type { MasterFeed } from './feed/master-feed.js';
import { requireFuture } from './policy.js';

export interface AccessKeyChangesOptions {
  readonly pool: Pool;
  readonly feed: MasterFeed;
  readonly custody: Custody;
  readonly now: () => number;
}

/**
 * What operators do to access keys that there are. The change, the record of it, the page and the beacon that tell
 * of it are one transaction, and served before the operator is answered.
 */
export class AccessKeyChanges {
  readonly #options: AccessKeyChangesOptions;

  constructor(options: AccessKeyChangesOptions) {
    this.#options = options;
  }

  /**
   * All of the access keys, or none. What is so already is told and recorded again: who asks twice may not have heard
   * the first answer, and a feed that lost it hears it now.
   */
  async change(
    author: Author,
    accessKeyIds: readonly string[],
    wanted: WantedAccessKeyChange,
  ): Promise<ChangedAccessKeysAnswer> {
    const patch = this.#patchFor(wanted);
    const records = this.#recordsOf(author, accessKeyIds, wanted);
    const { changed, version } = await this.#options.feed.publish(async (transaction) => {
      const version = await beginChange(transaction, this.#options.feed, accessKeyIds.length);
      await this.#requireChangeable(await present(transaction, accessKeyIds), wanted);
      const changed = await patchAccessKeys(transaction, accessKeyIds, patch);
      await recordOperatorActions(transaction, records);
      return { changed, version };
    });
    logAccessKeyChanges(author.log, records);
    const byId = new Map(changed.map((key) => [key.accessKeyId, describeAccessKey(key)]));
    return { accessKeys: accessKeyIds.flatMap((id) => byId.get(id) ?? []), version };
  }

  /** The access keys that a change would hit, as they are; rejects as the change would. */
  async preview(accessKeyIds: readonly string[], wanted: WantedAccessKeyChange): Promise<ChangedAccessKeysAnswer> {
    this.#patchFor(wanted);
    const found = await inTransaction(this.#options.pool, (transaction) => present(transaction, accessKeyIds));
    await this.#requireChangeable(found, wanted);
    return { accessKeys: found.map(describeAccessKey) };
  }

  #patchFor(wanted: WantedAccessKeyChange): AccessKeyPatch {
    switch (wanted.kind) {
      case 'enable':
        return { status: 'enabled' };
      case 'disable':
        return { status: 'disabled' };
      case 'delete':
        return { status: 'deleted', secret: null, pinned: false };
      case 'expire': {
        if (wanted.expiresAt === null) return { expiresAt: null };
        const expiresAt = Date.parse(wanted.expiresAt);
        requireFuture(expiresAt, this.#options.now());
        return { expiresAt };
      }
      case 'restrict': {
        const { regions, services } = wanted;
        return { ...(regions !== undefined && { regions }), ...(services !== undefined && { services }) };
      }
    }
  }

  async #requireChangeable(keys: readonly StoredAccessKey[], { kind }: WantedAccessKeyChange): Promise<void> {
    if (kind !== 'delete') requireNoneDeleted(keys);
    if (kind === 'expire' || kind === 'restrict') requireNoSession(keys);
    if (kind === 'enable') for (const key of keys) await this.#requireSecret(key);
  }

  /** After a restore from a backup, the secret of an access key may be an older one than what clients have. */
  async #requireSecret({ accessKeyId, version, sealed }: StoredAccessKey): Promise<void> {
    const { custody, now } = this.#options;
    try {
      if (sealed) await custody.kDate({ accessKeyId, version, sealed }, scopeDateOf(now()));
    } catch (error) {
      if (!(error instanceof SealBroken)) throw error;
      const detail = `the secret of ${accessKeyId} does not open; give it a new one: keydctl access-key rotate`;
      throw new KeydError('wrong-state', { detail, cause: error });
    }
  }

  #recordsOf(
    { operator, requestId }: Author,
    accessKeyIds: readonly string[],
    { kind: action, ...detail }: WantedAccessKeyChange,
  ): readonly OperatorAction[] {
    const at = this.#options.now();
    return accessKeyIds.map((accessKeyId) => ({ at, operator, action, accessKeyId, detail, requestId }));
  }
}

/**
 * Takes the locks of a change, in the one order that all take them in: issuances under way come to their end, so that
 * what the records say of these access keys is complete; then the feed; then the rows. Resolves to the version of the
 * feed that tells of the change.
 */
export async function beginChange(transaction: Transaction, feed: MasterFeed, changes: number): Promise<number> {
  await lockForChanging(transaction);
  const { version } = await lockFeed(transaction);
  const pages = feed.held?.pages.pages.length ?? 0;
  if (pages + Math.ceil(changes / MOST_CHANGES_A_PAGE) >= MOST_PAGES) {
    const detail = `the feed is full (${pages} pages of changed access keys); old ones leave it day by day`;
    throw new KeydError('wrong-state', { detail });
  }
  return version + 1;
}

/** In the order of the ids. Throws KeydError 'not-found' where one of them was never an access key. */
export async function present(
  transaction: Transaction,
  accessKeyIds: readonly string[],
): Promise<readonly StoredAccessKey[]> {
  const found = await findAccessKeys(transaction, accessKeyIds);
  return accessKeyIds.map((id) => {
    const key = found.get(id);
    if (key) return key;
    throw new KeydError('not-found', { detail: `${id}; nothing was changed` });
  });
}

/** What a session is good for stands in its token: disabling it and deleting it is all that can be done to it. */
export function requireNoSession(keys: readonly StoredAccessKey[]): void {
  const session = keys.find(({ parentId }) => parentId !== undefined);
  if (!session) return;
  const detail = `${session.accessKeyId} is a session, which can be disabled or deleted; nothing was changed`;
  throw new KeydError('wrong-state', { detail });
}

export function requireNoneDeleted(keys: readonly StoredAccessKey[]): void {
  const deleted = keys.find(({ status }) => status === 'deleted');
  if (!deleted) return;
  throw new KeydError('wrong-state', { detail: `${deleted.accessKeyId} is deleted; nothing was changed` });
}
