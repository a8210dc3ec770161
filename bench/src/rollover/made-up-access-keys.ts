import { createSecretKey, randomBytes } from 'node:crypto';
import { fileCustody } from '@sigv4-keyd/master-keyd';
import { Client } from 'pg';

const A_STATEMENT = 10_000;

/** Fills a master's database with enabled access keys of real form under real seals. */
export async function insertAccessKeys(databaseUrl: string, custodyKey: Buffer, count: number): Promise<void> {
  const made = Array.from({ length: count }, (_, n) => idOf(n));
  await insertSecrets(databaseUrl, custodyKey, made, () => randomBytes(30).toString('base64'));
}

/** One access key, with a secret that is known. */
export function insertAccessKey(
  databaseUrl: string,
  custodyKey: Buffer,
  { accessKeyId, secretAccessKey }: { readonly accessKeyId: string; readonly secretAccessKey: string },
): Promise<void> {
  return insertSecrets(databaseUrl, custodyKey, [accessKeyId], () => secretAccessKey);
}

async function insertSecrets(
  databaseUrl: string,
  custodyKey: Buffer,
  accessKeyIds: readonly string[],
  secretOf: () => string,
): Promise<void> {
  const custody = fileCustody(createSecretKey(custodyKey));
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    for (let from = 0; from < accessKeyIds.length; from += A_STATEMENT) {
      const ids = accessKeyIds.slice(from, from + A_STATEMENT);
      const sealed = ids.map((accessKeyId) => custody.seal({ accessKeyId, version: 1 }, secretOf()));
      await client.query(
        `INSERT INTO access_key (id, owner, status, created_at, version, sealed_secret)
         SELECT id, 'bench', 'enabled', now(), 1, sealed FROM unnest($1::text[], $2::bytea[]) AS made (id, sealed)`,
        [ids, sealed],
      );
    }
    await client.query('ANALYZE access_key');
  } finally {
    await client.end();
  }
}

/** 20 characters, as access key ids have, in no order of their making. */
function idOf(n: number): string {
  // An odd multiplier makes each number once.
  const scattered = Math.imul(n, 0x9e3779b1) >>> 0;
  return `AKIA${scattered.toString(32).toUpperCase().padStart(16, '0')}`;
}
