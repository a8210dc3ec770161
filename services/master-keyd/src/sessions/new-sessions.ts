import {
  KeydError,
  signSessionToken,
  type CreatedSession,
  type CreateSession,
  type Session,
} from '@sigv4-keyd/hop-protocol';
import { FeedError, type FeedKey } from '@sigv4-keyd/revocation';
import type { Pool } from 'pg';
import { makeAccessKeyId, makeSecretAccessKey, type RandomBytes } from '../access-key-material.js';
import { logOperatorAction, type OperatorAction } from '../audit.js';
import type { Author } from '../author.js';
import type { Custody } from '../custody/custody.js';
import { describeAccessKey, findAccessKeys, type StoredAccessKey } from '../database/access-keys.js';
import { inTransaction } from '../database/transaction.js';
import { storeNew } from '../new-access-keys.js';

export interface NewSessionsOptions {
  readonly pool: Pool;
  readonly custody: Custody;
  /** Signs the tokens. */
  readonly tokenKey: FeedKey;
  readonly random: RandomBytes;
  readonly now: () => number;
}

const VERSION = 1;

/** Temporary credentials: an access key that ends soon, and the token that says what it may be used for. */
export class NewSessions {
  readonly #options: NewSessionsOptions;

  constructor(options: NewSessionsOptions) {
    this.#options = options;
  }

  /** The answer is the only place where secret and token are shown. The session and its record are one transaction. */
  async create(author: Author, wanted: CreateSession): Promise<CreatedSession> {
    const { pool, custody, tokenKey, random, now } = this.#options;
    const at = now();
    const accessKeyId = makeAccessKeyId(random, 'ASIA');
    const secretAccessKey = makeSecretAccessKey(random);
    const sealed = await custody.seal({ accessKeyId, version: VERSION }, secretAccessKey);
    const made = await inTransaction(pool, async (transaction) => {
      const parents = await findAccessKeys(transaction, [wanted.parentAccessKeyId]);
      const parent = parentOf(wanted, parents.get(wanted.parentAccessKeyId), at);
      const session = sessionOf(accessKeyId, wanted, parent, at);
      const sessionToken = await signed(session, tokenKey);
      const key = storedSession(session, { owner: parent.owner, sealed });
      const record = recordOf(author, session);
      await storeNew(transaction, { key, record });
      return { key, record, session, sessionToken };
    });
    logOperatorAction(author.log, made.record);
    const { session, sessionToken } = made;
    return {
      ...describeAccessKey(made.key),
      parentAccessKeyId: session.parentAccessKeyId,
      expiresAt: new Date(session.expiresAt).toISOString(),
      secretAccessKey,
      sessionToken,
    };
  }
}

/** Throws KeydError where no session can be made of it. */
function parentOf(
  { parentAccessKeyId: id }: CreateSession,
  parent: StoredAccessKey | undefined,
  at: number,
): StoredAccessKey {
  if (!parent) throw new KeydError('not-found', { detail: id });
  if (parent.parentId !== undefined) throw refusal(`${id} is a session itself; make it of ${parent.parentId}`);
  if (parent.status !== 'enabled') throw refusal(`${id} is ${parent.status}`);
  if (parent.expiresAt !== undefined && parent.expiresAt <= at) throw refusal(`${id} has expired`);
  return parent;
}

function refusal(detail: string): KeydError {
  return new KeydError('wrong-state', { detail });
}

function sessionOf(accessKeyId: string, wanted: CreateSession, parent: StoredAccessKey, at: number): Session {
  const regions = narrowed('regions', wanted.regions, parent);
  const services = narrowed('services', wanted.services, parent);
  return {
    accessKeyId,
    parentAccessKeyId: parent.accessKeyId,
    ...(wanted.name !== undefined && { name: wanted.name }),
    ...(regions && { regions }),
    ...(services && { services }),
    createdAt: at,
    expiresAt: Math.min(at + wanted.durationSeconds * 1000, parent.expiresAt ?? Infinity),
  };
}

/** What is asked for where the access key is good for all of it; what the access key is good for where nothing is. */
function narrowed(
  kind: 'regions' | 'services',
  wanted: readonly string[] | undefined,
  parent: StoredAccessKey,
): readonly string[] | undefined {
  const whole = parent[kind];
  const names = wanted ?? whole;
  const wider = whole && wanted?.find((name) => !whole.includes(name));
  if (wider === undefined) return names && [...new Set(names)].sort();
  const detail = `${kind}: ${parent.accessKeyId} is not good for ${wider}, so its sessions cannot be`;
  throw new KeydError('malformed-request', { detail });
}

async function signed(session: Session, key: FeedKey): Promise<string> {
  try {
    return await signSessionToken(session, key);
  } catch (error) {
    if (!(error instanceof FeedError) || error.code !== 'too-large') throw error;
    const detail = 'regions and services together are too long for a session token; name fewer of them';
    throw new KeydError('malformed-request', { detail, cause: error });
  }
}

/** No feed tells of it: nobody can have asked for an id that was made at random. */
function storedSession(
  { accessKeyId, parentAccessKeyId: parentId, name, regions, services, createdAt, expiresAt }: Session,
  { owner, sealed }: { readonly owner: string; readonly sealed: Buffer },
): StoredAccessKey {
  return {
    accessKeyId,
    owner,
    status: 'enabled',
    createdAt,
    expiresAt,
    ...(regions && { regions }),
    ...(services && { services }),
    parentId,
    ...(name !== undefined && { sessionName: name }),
    version: VERSION,
    pinned: false,
    changedIn: 0,
    sealed,
  };
}

function recordOf(
  { operator, requestId }: Author,
  { accessKeyId, createdAt, expiresAt, ...terms }: Session,
): OperatorAction {
  const detail = { ...terms, expiresAt: new Date(expiresAt).toISOString() };
  return { at: createdAt, operator, action: 'create-session', accessKeyId, detail, requestId };
}
