import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { fileCustody, type SealedSecret } from '@sigv4-keyd/master-keyd';
import {
  exportKRegion,
  importKRegion,
  exportKService,
  kDate,
  kRegion,
  kRegionBytesOfSecret,
  kSecret,
  kService,
  kServiceBytes,
  type ScopeDate,
} from '@sigv4-keyd/sigv4-core';

export const IN_BULK = 'kDate and kRegion, for a day';
const REGION = 'us-east-1';
const SERVICE = 's3';

/** Ways from one rung of the ladder to a lower one, each from a secret or key of its own in every turn. */
export async function derivations(date: ScopeDate): Promise<Readonly<Record<string, (turn: number) => void>>> {
  const custody = fileCustody(createSecretKey(randomBytes(32)));
  const secrets = Array.from({ length: 1_000 }, () => Buffer.from(randomBytes(30).toString('base64')));
  const regionKeys = secrets.map((secret) => kRegionBytesOfSecret(secret, date, REGION));
  const sealed: readonly SealedSecret[] = await Promise.all(
    secrets.map(async (secret, n) => {
      const name = { accessKeyId: `AKIABENCH${n}`, version: 1 };
      return { ...name, sealed: await custody.seal(name, secret.toString('latin1')) };
    }),
  );
  const each = <Item>(items: readonly Item[], derive: (item: Item) => Buffer) => {
    return (turn: number): void => {
      const item = items[turn % items.length];
      if (item !== undefined) derive(item).fill(0);
    };
  };
  const hmac = (key: Buffer, message: string): Buffer => createHmac('sha256', key).update(message).digest();
  return {
    [IN_BULK]: each(secrets, (secret) => kRegionBytesOfSecret(secret, date, REGION)),
    'kDate and kRegion, on demand, an object a rung': each(secrets, (secret) => {
      return exportKRegion(kRegion(kDate(kSecret(secret), date), REGION));
    }),
    'kDate and kRegion, naively with createHmac': each(secrets, (secret) => {
      return hmac(hmac(Buffer.concat([Buffer.from('AWS4'), secret]), date), REGION);
    }),
    'kDate and kRegion, for a day, the secret unsealed first': each(sealed, (secret) =>
      custody.kRegionBytes(secret, date, REGION),
    ),
    'kService, for a day': each(regionKeys, (key) => kServiceBytes(key, SERVICE)),
    'kService, on demand, an object a rung': each(regionKeys, (key) =>
      exportKService(kService(importKRegion(key), SERVICE)),
    ),
    'kService, naively with createHmac': each(regionKeys, (key) => hmac(key, SERVICE)),
  };
}
