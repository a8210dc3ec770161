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
  readonly version: number;
  readonly pinned: boolean;
  /** Absent once the access key is deleted. */
  readonly sealed?: Buffer;
}

export interface AccessKeyFilter {
  readonly owner?: string | undefined;
  /** Absent: all but the deleted ones. */
  readonly status?: AccessKeyStatus | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

interface Row {
  readonly id: string;
  readonly owner: string;
  readonly status: AccessKeyStatus;
  readonly created_at: Date;
  readonly expires_at: Date | null;
  readonly regions: string[] | null;
  readonly services: string[] | null;
  readonly version: number;
  readonly pinned: boolean;
  readonly sealed_secret: Buffer | null;
}

const COLUMNS = 'id, owner, status, created_at, expires_at, regions, services, version, pinned, sealed_secret';

/** Stores a new access key. An id that was ever in use, even by one deleted since, is refused. */
export async function insertAccessKey(transaction: Transaction, key: StoredAccessKey): Promise<void> {
  const inserted = await transaction.query(
    `INSERT INTO access_key (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING`,
    [
      key.accessKeyId,
      key.owner,
      key.status,
      new Date(key.createdAt),
      key.expiresAt === undefined ? null : new Date(key.expiresAt),
      key.regions ?? null,
      key.services ?? null,
      key.version,
      key.pinned,
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
  const { rows } = await transaction.query<Row>(`SELECT ${COLUMNS} FROM access_key WHERE id = ANY($1)`, [ids]);
  return new Map(rows.map((row) => [row.id, storedFrom(row)]));
}

/** The access key, locked until the end of the transaction. Throws KeydError 'not-found'. */
export async function lockAccessKey(transaction: Transaction, id: string): Promise<StoredAccessKey> {
  const { rows } = await transaction.query<Row>(`SELECT ${COLUMNS} FROM access_key WHERE id = $1 FOR UPDATE`, [id]);
  if (!rows[0]) throw new KeydError('not-found', { detail: id });
  return storedFrom(rows[0]);
}

/** A page of access keys in the order of their ids; one more than `limit` where there are more. */
export async function pageOfAccessKeys(
  transaction: Transaction,
  { owner, status, after, limit }: AccessKeyFilter,
): Promise<readonly StoredAccessKey[]> {
  const { rows } = await transaction.query<Row>(
    `SELECT ${COLUMNS} FROM access_key
      WHERE ($1::text IS NULL OR owner = $1)
        AND CASE WHEN $2::text IS NULL THEN status <> 'deleted' ELSE status = $2 END
        AND ($3::text IS NULL OR id > $3)
      ORDER BY id LIMIT $4`,
    [owner ?? null, status ?? null, after ?? null, limit + 1],
  );
  return rows.map(storedFrom);
}

export async function setAccessKeyStatus(
  transaction: Transaction,
  id: string,
  status: 'enabled' | 'disabled',
): Promise<void> {
  await transaction.query('UPDATE access_key SET status = $2 WHERE id = $1', [id, status]);
}

/** Pins or unpins those of the access keys that there are and that are not deleted; returns them. */
export async function setAccessKeysPinned(
  transaction: Transaction,
  ids: readonly string[],
  pinned: boolean,
): Promise<readonly StoredAccessKey[]> {
  const { rows } = await transaction.query<Row>(
    `UPDATE access_key SET pinned = $2 WHERE id = ANY($1) AND status <> 'deleted' RETURNING ${COLUMNS}`,
    [ids, pinned],
  );
  return rows.map(storedFrom);
}

/** Wipes the secret and keeps the row. */
export async function buryAccessKey(transaction: Transaction, id: string): Promise<void> {
  await transaction.query(
    "UPDATE access_key SET status = 'deleted', sealed_secret = NULL, pinned = false WHERE id = $1",
    [id],
  );
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
    version: key.version,
    pinned: key.pinned,
  };
}

function storedFrom(row: Row): StoredAccessKey {
  return {
    accessKeyId: row.id,
    owner: row.owner,
    status: row.status,
    createdAt: row.created_at.getTime(),
    ...(row.expires_at && { expiresAt: row.expires_at.getTime() }),
    ...(row.regions && { regions: row.regions }),
    ...(row.services && { services: row.services }),
    version: row.version,
    pinned: row.pinned,
    ...(row.sealed_secret && { sealed: row.sealed_secret }),
  };
}
