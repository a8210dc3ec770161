import type { SealedSecret } from '../custody/custody.js';
import { NAMED_LAYOUTS, PREFIX_BYTES, sealPrefix } from '../custody/seal-prefix.js';
import type { Transaction } from './transaction.js';

export interface SealedUnder {
  /** Undefined: the values name no key. */
  readonly keyId: string | undefined;
  readonly secrets: number;
}

export async function anySealed(transaction: Transaction): Promise<boolean> {
  const found = await transaction.query('SELECT FROM access_key WHERE sealed_secret IS NOT NULL LIMIT 1');
  return found.rows.length > 0;
}

/** How many secrets there are under each key: reads the whole table. */
export async function countSealed(transaction: Transaction): Promise<readonly SealedUnder[]> {
  const { rows } = await transaction.query<{ readonly prefix: Buffer; readonly secrets: number }>(
    `SELECT prefix, count(*)::integer AS secrets
       FROM (SELECT CASE WHEN substring(sealed_secret FROM 1 FOR 1) = ANY ($1) THEN substring(sealed_secret FROM 1 FOR $2)
                    ELSE ''::bytea END AS prefix
               FROM access_key WHERE sealed_secret IS NOT NULL) AS sealed
      GROUP BY prefix ORDER BY prefix`,
    [NAMED_LAYOUTS.map((layout) => Buffer.of(layout)), PREFIX_BYTES],
  );
  const counts = new Map<string | undefined, number>();
  for (const { prefix, secrets } of rows) {
    const keyId = sealPrefix(prefix)?.keyId;
    counts.set(keyId, (counts.get(keyId) ?? 0) + secrets);
  }
  return [...counts].map(([keyId, secrets]) => ({ keyId, secrets }));
}

export async function countOthers(transaction: Transaction, prefix: Buffer): Promise<number> {
  const { rows } = await transaction.query<{ readonly secrets: number }>(
    `SELECT count(*)::integer AS secrets FROM access_key
      WHERE sealed_secret IS NOT NULL AND substring(sealed_secret FROM 1 FOR $2) <> $1`,
    [prefix, prefix.length],
  );
  return rows[0]?.secrets ?? 0;
}

/** The ids of secrets that begin with none of the prefixes, in their order. */
export async function idsOfOthers(
  transaction: Transaction,
  prefixes: readonly Buffer[],
  limit: number,
): Promise<readonly string[]> {
  const { rows } = await transaction.query<{ readonly id: string }>(
    `SELECT id FROM access_key
      WHERE sealed_secret IS NOT NULL
        AND NOT EXISTS (SELECT FROM unnest($1::bytea[]) AS prefix
                         WHERE substring(sealed_secret FROM 1 FOR length(prefix)) = prefix)
      ORDER BY id LIMIT $2`,
    [prefixes, limit],
  );
  return rows.map(({ id }) => id);
}

/**
 * Secrets that do not begin with the prefix, in the order of the ids, locked. What another transaction has locked is
 * left out: it is being sealed anew by another master, or changed by an operator.
 */
export async function lockOthers(
  transaction: Transaction,
  { prefix, after, limit }: { readonly prefix: Buffer; readonly after: string; readonly limit: number },
): Promise<readonly SealedSecret[]> {
  const { rows } = await transaction.query<{
    readonly id: string;
    readonly version: number;
    readonly sealed_secret: Buffer;
  }>(
    `SELECT id, version, sealed_secret FROM access_key
      WHERE id > $1 AND sealed_secret IS NOT NULL AND substring(sealed_secret FROM 1 FOR $3) <> $2
      ORDER BY id LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED`,
    [after, prefix, prefix.length, limit],
  );
  return rows.map(({ id, version, sealed_secret: sealed }) => ({ accessKeyId: id, version, sealed }));
}

/** The same secrets under other seals: nothing that the feed would have to tell of. The rows are locked. */
export async function replaceSeals(transaction: Transaction, secrets: readonly SealedSecret[]): Promise<void> {
  await transaction.query(
    `UPDATE access_key SET sealed_secret = anew.sealed
       FROM unnest($1::text[], $2::bytea[]) AS anew (id, sealed) WHERE access_key.id = anew.id`,
    [secrets.map(({ accessKeyId }) => accessKeyId), secrets.map(({ sealed }) => sealed)],
  );
}
