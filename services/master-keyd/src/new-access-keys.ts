import {
  KeydError,
  type AccessKey,
  type CreateAccessKey,
  type CreatedAccessKey,
  type ImportAccessKey,
} from '@sigv4-keyd/hop-protocol';
import { isSessionAccessKeyId } from '@sigv4-keyd/sigv4-core';
import type { Pool } from 'pg';
import { makeAccessKeyId, makeSecretAccessKey, type RandomBytes } from './access-key-material.js';
import { logOperatorAction, recordOperatorAction, type OperatorAction } from './audit.js';
import type { Author } from './author.js';
import type { Custody } from './custody/custody.js';
import { describeAccessKey, insertAccessKey, type StoredAccessKey } from './database/access-keys.js';
import { inTransaction, type Transaction } from './database/transaction.js';
import { requireFuture } from './policy.js';

export interface NewAccessKeysOptions {
  readonly pool: Pool;
  readonly custody: Custody;
  readonly random: RandomBytes;
  readonly now: () => number;
  /** Whether the feed has room for what only spares a few seconds of waiting. */
  readonly hasFeedRoom: () => boolean;
}

/** An access key to be stored, and the record of it. */
export interface NewAccessKey {
  readonly key: StoredAccessKey;
  readonly record: OperatorAction;
}

/** Access keys that there were none of before. One and the record of it are one transaction. */
export class NewAccessKeys {
  readonly #options: NewAccessKeysOptions;

  constructor(options: NewAccessKeysOptions) {
    this.#options = options;
  }

  /** The answer is the only place where the new secret is ever shown. */
  async create(author: Author, wanted: CreateAccessKey): Promise<CreatedAccessKey> {
    const { secretAccessKey, ...made } = await this.make(author, wanted);
    await this.#store(author, made);
    return { ...describeAccessKey(made.key), secretAccessKey };
  }

  /**
   * An access key that was made elsewhere. Its clients may have been refused already, and the lower tiers remember for
   * seconds whom they do not know: the next beacon tells that it is there now. Nobody can have asked for an id that was
   * made at random.
   */
  async import(author: Author, given: ImportAccessKey): Promise<AccessKey> {
    if (isSessionAccessKeyId(given.accessKeyId)) {
      const detail = 'accessKeyId: ids that begin with ASIA are those of sessions, which are made here';
      throw new KeydError('malformed-request', { detail });
    }
    const made = await this.#seal(author, 'import', given);
    await this.#store(author, made);
    return describeAccessKey(made.key);
  }

  /** Makes id and secret, and stores nothing yet. */
  async make(author: Author, wanted: CreateAccessKey): Promise<NewAccessKey & { readonly secretAccessKey: string }> {
    const { random } = this.#options;
    const secretAccessKey = makeSecretAccessKey(random);
    const given = { ...wanted, accessKeyId: makeAccessKeyId(random), secretAccessKey };
    return { ...(await this.#seal(author, 'create', given)), secretAccessKey };
  }

  async #store(author: Author, { key, record }: NewAccessKey): Promise<void> {
    await inTransaction(this.#options.pool, (transaction) => storeNew(transaction, { key, record }));
    logOperatorAction(author.log, record);
  }

  async #seal(author: Author, action: 'create' | 'import', given: ImportAccessKey): Promise<NewAccessKey> {
    const { accessKeyId, secretAccessKey, expiresAt: expiry, ...restrictions } = given;
    const at = this.#options.now();
    const expiresAt = expiry === undefined ? undefined : Date.parse(expiry);
    requireFuture(expiresAt, at);
    const version = 1;
    const isToBeTold = action === 'import' && this.#options.hasFeedRoom();
    const { operator, requestId } = author;
    return {
      key: {
        accessKeyId,
        owner: restrictions.owner,
        status: 'enabled',
        createdAt: at,
        ...(expiresAt !== undefined && { expiresAt }),
        ...(restrictions.regions && { regions: restrictions.regions }),
        ...(restrictions.services && { services: restrictions.services }),
        version,
        pinned: false,
        ...(isToBeTold ? {} : { changedIn: 0 }),
        sealed: await this.#options.custody.seal({ accessKeyId, version }, secretAccessKey),
      },
      record: { at, operator, action, accessKeyId, detail: { ...restrictions, expiresAt: expiry }, requestId },
    };
  }
}

export async function storeNew(transaction: Transaction, { key, record }: NewAccessKey): Promise<void> {
  await insertAccessKey(transaction, key);
  await recordOperatorAction(transaction, record);
}
