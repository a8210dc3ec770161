import type {
  AccessKey,
  AccessKeyAction,
  CreateAccessKey,
  CreatedAccessKey,
  ImportAccessKey,
  OperatorIdentity,
} from '@sigv4-keyd/hop-protocol';
import { KeydError } from '@sigv4-keyd/hop-protocol';
import type { FastifyBaseLogger } from 'fastify';
import type { Pool } from 'pg';
import { makeAccessKeyId, makeSecretAccessKey, type RandomBytes } from './access-key-material.js';
import { logOperatorAction, recordOperatorAction, type AccessKeyActionName, type OperatorAction } from './audit.js';
import type { Custody } from './custody/custody.js';
import {
  buryAccessKey,
  describeAccessKey,
  insertAccessKey,
  lockAccessKey,
  setAccessKeyStatus,
  type StoredAccessKey,
} from './database/access-keys.js';
import { lockForChanging } from './database/locks.js';
import { inTransaction, type Transaction } from './database/transaction.js';
import { requireFuture } from './policy.js';

export interface AccessKeyChangesOptions {
  readonly pool: Pool;
  readonly custody: Custody;
  readonly random: RandomBytes;
  readonly now: () => number;
}

/** On whose behalf a change is made, and under which request. */
export interface Author {
  readonly operator: OperatorIdentity;
  readonly requestId: string;
  readonly log: FastifyBaseLogger;
}

/** What operators do to access keys. A change and the record of it are one transaction. */
export class AccessKeyChanges {
  readonly #options: AccessKeyChangesOptions;

  constructor(options: AccessKeyChangesOptions) {
    this.#options = options;
  }

  /** The answer is the only place where the new secret is ever shown. */
  async create(author: Author, wanted: CreateAccessKey): Promise<CreatedAccessKey> {
    const secretAccessKey = makeSecretAccessKey(this.#options.random);
    const accessKeyId = makeAccessKeyId(this.#options.random);
    const key = await this.#add(author, 'create', { ...wanted, accessKeyId, secretAccessKey });
    return { ...key, secretAccessKey };
  }

  import(author: Author, given: ImportAccessKey): Promise<AccessKey> {
    return this.#add(author, 'import', given);
  }

  /** Enabling what is enabled, or disabling what is disabled, changes nothing and is recorded like any other. */
  switch(author: Author, action: AccessKeyAction, accessKeyId: string): Promise<AccessKey> {
    const status = action === 'enable' ? 'enabled' : 'disabled';
    return this.#change(author, action, accessKeyId, async (transaction, key) => {
      await setAccessKeyStatus(transaction, accessKeyId, status);
      return { ...key, status };
    });
  }

  delete(author: Author, accessKeyId: string): Promise<AccessKey> {
    return this.#change(author, 'delete', accessKeyId, async (transaction, key) => {
      await buryAccessKey(transaction, accessKeyId);
      return { ...key, status: 'deleted', pinned: false };
    });
  }

  async #add(author: Author, action: 'create' | 'import', given: ImportAccessKey): Promise<AccessKey> {
    const { custody, pool, now } = this.#options;
    const { accessKeyId, secretAccessKey, expiresAt: expiry, ...restrictions } = given;
    const at = now();
    const expiresAt = expiry === undefined ? undefined : Date.parse(expiry);
    requireFuture(expiresAt, at);
    const version = 1;
    const key: StoredAccessKey = {
      accessKeyId,
      owner: restrictions.owner,
      status: 'enabled',
      createdAt: at,
      ...(expiresAt !== undefined && { expiresAt }),
      ...(restrictions.regions && { regions: restrictions.regions }),
      ...(restrictions.services && { services: restrictions.services }),
      version,
      pinned: false,
      sealed: await custody.seal({ accessKeyId, version }, secretAccessKey),
    };
    const record = { ...this.#recordOf(author, action, accessKeyId), detail: { ...restrictions, expiresAt: expiry } };
    await inTransaction(pool, async (transaction) => {
      await insertAccessKey(transaction, key);
      await recordOperatorAction(transaction, record);
    });
    logOperatorAction(author.log, record);
    return describeAccessKey(key);
  }

  async #change(
    author: Author,
    action: AccessKeyAction | 'delete',
    accessKeyId: string,
    apply: (transaction: Transaction, key: StoredAccessKey) => Promise<StoredAccessKey>,
  ): Promise<AccessKey> {
    const record = this.#recordOf(author, action, accessKeyId);
    const changed = await inTransaction(this.#options.pool, async (transaction) => {
      await lockForChanging(transaction);
      const key = await lockAccessKey(transaction, accessKeyId);
      if (key.status === 'deleted') throw new KeydError('wrong-state', { detail: `${accessKeyId} is deleted` });
      const result = await apply(transaction, key);
      await recordOperatorAction(transaction, record);
      return result;
    });
    logOperatorAction(author.log, record);
    return describeAccessKey(changed);
  }

  #recordOf({ operator, requestId }: Author, action: AccessKeyActionName, accessKeyId: string): OperatorAction {
    return { at: this.#options.now(), operator, action, accessKeyId, requestId };
  }
}
