import { createSecretKey, type KeyObject } from 'node:crypto';
import { hopListen, seconds, serviceSettings } from '@sigv4-keyd/service-skeleton';
import { z } from 'zod';

/** The message never quotes the URL: it holds a password. */
const databaseUrl = z.string().refine((text) => {
  if (!URL.canParse(text)) return false;
  const { protocol, pathname } = new URL(text);
  return (protocol === 'postgres:' || protocol === 'postgresql:') && pathname.length > 1;
}, 'must be postgres://USER:PASSWORD@HOST:PORT/DATABASE');

/** 32 bytes, base64. Kept as a KeyObject, which prints no bytes. */
const custodyKey = z.string().transform((text, context): KeyObject => {
  const bytes = Buffer.from(text.trim(), 'base64');
  try {
    if (bytes.length === 32 && bytes.toString('base64') === text.trim()) return createSecretKey(bytes);
  } finally {
    bytes.fill(0);
  }
  context.issues.push({
    code: 'custom',
    input: undefined,
    message: 'must be 32 random bytes in base64; `openssl rand -base64 32` makes them',
  });
  return z.NEVER;
});

/** The settings of master-keyd. */
export const configuration = z.object({
  ...serviceSettings,
  listen: hopListen,
  databaseUrl: databaseUrl.describe('PostgreSQL; better given by KEYD_DATABASE_URL_FILE, as it holds a password'),
  custodyKey: custodyKey.describe('Seals the secrets: 32 bytes, base64; better given by KEYD_CUSTODY_KEY_FILE'),
  databaseWait: seconds.prefault('60s').describe('How long a database that is not up yet is waited for at start'),
});

export type Configuration = z.output<typeof configuration>;
