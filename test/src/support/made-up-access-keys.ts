import { fileCustody } from '@sigv4-keyd/master-keyd';
import { createSecretKey } from 'node:crypto';
import { runSql } from './postgres-sql.js';

export const secretOf = (accessKeyId: string): string => `secret-of-${accessKeyId}`;

/** Ids in ascending order. */
export function madeUpIds(count: number, prefix = 'AKIA'): readonly string[] {
  return Array.from({ length: count }, (_, n) => `${prefix}${String(n).padStart(7, '0')}`);
}

/** Puts access keys with real seals into a master's database, many at once. */
export async function insertAccessKeys(
  { database, custodyKey }: { readonly database: string; readonly custodyKey: Buffer },
  accessKeyIds: readonly string[],
  { isPinned = false }: { readonly isPinned?: boolean } = {},
): Promise<void> {
  const custody = fileCustody(createSecretKey(custodyKey));
  const sealed = accessKeyIds.map((accessKeyId) => custody.seal({ accessKeyId, version: 1 }, secretOf(accessKeyId)));
  await runSql(
    database,
    `INSERT INTO access_key (id, owner, status, created_at, version, pinned, sealed_secret)
     SELECT id, 'ann', 'enabled', '2026-11-01', 1, $3, sealed FROM unnest($1::text[], $2::bytea[]) AS made (id, sealed)`,
    [accessKeyIds, sealed, isPinned],
  );
}
