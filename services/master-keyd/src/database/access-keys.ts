import { KeydError, type AccessKey, type AccessKeyStatus } from '@sigv4-keyd/hop-protocol';
import type { Transaction } from './transaction.js';

/** An access key as it is stored. Instants are epoch milliseconds. */
export interface StoredAccessKey {
  readonly accessKeyId: string;
  readonly owner: string;
  readonly status: AccessKeyStatus;
  readonly createdAt: number;
  readonly expiresAt?: number;
  /** Absent: good for all. */
  readonly regions?: readonly string[];
  readonly services?: readonly string[];
  /** Of a session: the access key that it was made of, and for whom. */
  readonly parentId?: string;
  readonly sessionName?: string;
  readonly version: number;
  readonly pinned: boolean;
  /** The version of the beacon that last told of a change; 0: none did. Absent: the next one is to. */
  readonly changedIn?: number;
  /** Absent once the access key is deleted. */
  readonly sealed?: Buffer;
}

/** What issuing looks at. */
export type IssuableAccessKey = Pick<
  StoredAccessKey,
  'accessKeyId' | 'status' | 'createdAt' | 'expiresAt' | 'regions' | 'services' | 'parentId' | 'version' | 'sealed'
>;

export interface AccessKeyFilter {
  readonly owner?: string | undefined;
  /** Absent: all but the deleted ones. */
  readonly status?: AccessKeyStatus | undefined;
  /** The sessions of this access key; absent: access keys, and no sessions. */
  readonly sessionsOf?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

/** A row of access_key, read with {@link COLUMNS}. */
export interface AccessKeyRow {
  readonly id: string;
  readonly owner: string;
  readonly status: AccessKeyStatus;
  readonly created_at: Date;
  readonly expires_at: Date | null;
  readonly regions: string[] | null;
  readonly services: string[] | null;
  readonly parent_id: string | null;
  readonly session_name: string | null;
  readonly version: number;
  readonly pinned: boolean;
  readonly changed_in: number | null;
  readonly sealed_secret: Buffer | null;
}

const STORED =
  'id, owner, status, created_at, expires_at, regions, services, parent_id, session_name, version, pinned, ' +
  'changed_in, sealed_secret';
// The driver gives bigint as text.
export const COLUMNS = STORED.replace('changed_in', 'changed_in::double precision AS changed_in');

/** Stores a new access key. An id that was ever in use, even by one deleted since, is refused. */
export async function insertAccessKey(transaction: Transaction, key: StoredAccessKey): Promise<void> {
  const inserted = await transaction.query(
    `INSERT INTO access_key (${STORED}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
     ON CONFLICT (id) DO NOTHING`,
    [
      key.accessKeyId,
      key.owner,
      key.status,
      new Date(key.createdAt),
      key.expiresAt === undefined ? null : new Date(key.expiresAt),
      key.regions ?? null,
      key.services ?? null,
      key.parentId ?? null,
      key.sessionName ?? null,
      key.version,
      key.pinned,
      key.changedIn ?? null,
      key.sealed ?? null,
    ],
  );
  if (inserted.rowCount === 0) {
    throw new KeydError('already-exists', { detail: `${key.accessKeyId} is or was in use; an id never returns` });
  }
}

/** Those of the access keys that were ever made; a deleted one is among them. */
export async function findAccessKeys(
  transaction: Transaction,
  ids: readonly string[],
): Promise<ReadonlyMap<string, StoredAccessKey>> {
  const { rows } = await transaction.query<AccessKeyRow>(`SELECT ${COLUMNS} FROM access_key WHERE id = ANY($1)`, [ids]);
  return new Map(rows.map((row) => [row.id, storedFrom(row)]));
}

/** What is to become of access keys: what is not named stays, and null takes away. */
export interface AccessKeyPatch {
  readonly status?: AccessKeyStatus;
  readonly expiresAt?: number | null;
  readonly regions?: readonly string[] | null;
  readonly services?: readonly string[] | null;
  readonly pinned?: boolean;
  /** With the version that it is sealed for. */
  readonly secret?: { readonly version: number; readonly sealed: Buffer } | null;
}

/** Changes access keys; the next beacon tells of it. The feed must be locked before any of them. */
export async function patchAccessKeys(
  transaction: Transaction,
  ids: readonly string[],
  { status, expiresAt, regions, services, pinned, secret }: AccessKeyPatch,
): Promise<readonly StoredAccessKey[]> {
  const assigned: (readonly [column: string, value: unknown])[] = [
    ['status', status],
    ['expires_at', typeof expiresAt === 'number' ? new Date(expiresAt) : expiresAt],
    ['regions', regions],
    ['services', services],
    ['pinned', pinned],
    ['version', secret?.version],
    ['sealed_secret', secret === null ? null : secret?.sealed],
  ];
  const given = assigned.filter(([, value]) => value !== undefined);
  const assignments = given.map(([column], index) => `${column} = $${index + 2}`);
  const { rows } = await transaction.query<AccessKeyRow>(
    `UPDATE access_key SET ${[...assignments, 'changed_in = NULL'].join(', ')} WHERE id = ANY($1) RETURNING ${COLUMNS}`,
    [ids, ...given.map(([, value]) => value)],
  );
  return rows.map(storedFrom);
}

/** A page of access keys in the order of their ids; one more than `limit` where there are more. */
export async function pageOfAccessKeys(
  transaction: Transaction,
  { owner, status, sessionsOf, after, limit }: AccessKeyFilter,
): Promise<readonly StoredAccessKey[]> {
  const { rows } = await transaction.query<AccessKeyRow>(
    `SELECT ${COLUMNS} FROM access_key
      WHERE ($1::text IS NULL OR owner = $1)
        AND CASE WHEN $2::text IS NULL THEN status <> 'deleted' ELSE status = $2 END
        AND ($3::text IS NULL OR id > $3)
        AND CASE WHEN $4::text IS NULL THEN parent_id IS NULL ELSE parent_id = $4 END
      ORDER BY id LIMIT $5`,
    [owner ?? null, status ?? null, after ?? null, sessionsOf ?? null, limit + 1],
  );
  return rows.map(storedFrom);
}

/** Pins or unpins those of the access keys that there are and that are not deleted; returns them. */
export async function setAccessKeysPinned(
  transaction: Transaction,
  ids: readonly string[],
  pinned: boolean,
): Promise<readonly StoredAccessKey[]> {
  const { rows } = await transaction.query<AccessKeyRow>(
    `UPDATE access_key SET pinned = $2 WHERE id = ANY($1) AND status <> 'deleted' RETURNING ${COLUMNS}`,
    [ids, pinned],
  );
  return rows.map(storedFrom);
}

/** As operators see it: never with a secret, sealed or not. */
export function describeAccessKey(key: StoredAccessKey): AccessKey {
  return {
    accessKeyId: key.accessKeyId,
    owner: key.owner,
    status: key.status,
    createdAt: new Date(key.createdAt).toISOString(),
    ...(key.expiresAt !== undefined && { expiresAt: new Date(key.expiresAt).toISOString() }),
    ...(key.regions && { regions: [...key.regions] }),
    ...(key.services && { services: [...key.services] }),
    ...(key.parentId !== undefined && { parentAccessKeyId: key.parentId }),
    ...(key.sessionName !== undefined && { sessionName: key.sessionName }),
    version: key.version,
    pinned: key.pinned,
  };
}

export function storedFrom(row: AccessKeyRow): StoredAccessKey {
  return {
    accessKeyId: row.id,
    owner: row.owner,
    status: row.status,
    createdAt: row.created_at.getTime(),
    ...(row.expires_at && { expiresAt: row.expires_at.getTime() }),
    ...(row.regions && { regions: row.regions }),
    ...(row.services && { services: row.services }),
    ...(row.parent_id !== null && { parentId: row.parent_id }),
    ...(row.session_name !== null && { sessionName: row.session_name }),
    version: row.version,
    pinned: row.pinned,
    ...(row.changed_in !== null && { changedIn: row.changed_in }),
    ...(row.sealed_secret && { sealed: row.sealed_secret }),
  };
}
