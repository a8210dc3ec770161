import { createSecretKey } from 'node:crypto';
import { createMtlsAgent, CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import { fileCustody } from '@sigv4-keyd/master-keyd';
import { createHealthApp, createLogger, createMtlsApp } from '@sigv4-keyd/service-skeleton';
import {
  exportKRegion,
  exportKService,
  importKRegion,
  kRegion,
  kService,
  scopeDateOf,
  type ScopeDate,
} from '@sigv4-keyd/sigv4-core';
import { Client } from 'pg';
import { z } from 'zod';

/**
 * What a tier would be without streams and flat tables: the keys of a day as one JSON document, held as a Map of the
 * objects that it parses into. It writes no records, which spares it work that the real tiers do.
 */
const settings = z
  .object({
    BENCH_ROLE: z.enum(['master', 'region', 'edge']),
    BENCH_PARENT: z.url().optional(),
    BENCH_REGION: z.string(),
    BENCH_SERVICE: z.string(),
    BENCH_PORT: z.coerce.number(),
    BENCH_HEALTH_PORT: z.coerce.number(),
    BENCH_DATABASE: z.string(),
    BENCH_CUSTODY_KEY: z.base64(),
    KEYD_TRUST_DOMAIN: z.string(),
    KEYD_TLS_CERT: z.string(),
    KEYD_TLS_KEY: z.string(),
    KEYD_TLS_CA: z.string(),
  })
  .parse(process.env);

const namedKey = z.object({ accessKeyId: z.string(), key: z.string(), createdAt: z.number(), version: z.number() });
type NamedKey = z.infer<typeof namedKey>;

const date = scopeDateOf(Date.now());
const held = new Map<string, NamedKey>();

const credentials = await CredentialsStore.open({
  cert: settings.KEYD_TLS_CERT,
  key: settings.KEYD_TLS_KEY,
  ca: settings.KEYD_TLS_CA,
});
const log = createLogger({ service: `naive-${settings.BENCH_ROLE}`, level: 'warn' });
const app = await createMtlsApp({ credentials, trustDomain: settings.KEYD_TRUST_DOMAIN, log });
app.get('/naive/day', { config: { mtls: { roles: ['region', 'edge'] } } }, async (_request, reply) => {
  const keys = settings.BENCH_ROLE === 'master' ? await kRegions(date) : kServices();
  return reply.type('application/json').send(JSON.stringify({ date, keys }));
});
await app.listen({ host: '127.0.0.1', port: settings.BENCH_PORT });
const health = createHealthApp({
  notReady: () => [],
  status: () => ({ heldDays: [{ date, keys: held.size }] }),
});
await health.listen({ host: '127.0.0.1', port: settings.BENCH_HEALTH_PORT });
if (settings.BENCH_PARENT !== undefined) await fetchDay(settings.BENCH_PARENT);

async function kRegions(day: ScopeDate): Promise<readonly NamedKey[]> {
  const custody = fileCustody(createSecretKey(Buffer.from(settings.BENCH_CUSTODY_KEY, 'base64')));
  const client = new Client({ connectionString: settings.BENCH_DATABASE });
  await client.connect();
  const { rows } = await client.query<{ id: string; created_at: Date; version: number; sealed_secret: Buffer }>(
    "SELECT id, created_at, version, sealed_secret FROM access_key WHERE status = 'enabled' ORDER BY id",
  );
  await client.end();
  const keys: NamedKey[] = [];
  for (const { id: accessKeyId, created_at: createdAt, version, sealed_secret: sealed } of rows) {
    const key = exportKRegion(
      kRegion(await custody.kDate({ accessKeyId, version, sealed }, day), settings.BENCH_REGION),
    );
    keys.push({ accessKeyId, key: key.toString('base64'), createdAt: createdAt.getTime(), version });
  }
  return keys;
}

function kServices(): readonly NamedKey[] {
  return [...held.values()].map(({ key, ...facts }) => {
    const derived = kService(importKRegion(Buffer.from(key, 'base64')), settings.BENCH_SERVICE);
    return { ...facts, key: exportKService(derived).toString('base64') };
  });
}

async function fetchDay(parent: string): Promise<void> {
  const dispatcher = createMtlsAgent({
    credentials,
    acceptsServer: () => true,
    // A parent that writes its document answers nobody else meanwhile.
    connectTimeoutMilliseconds: 600_000,
    pool: { headersTimeout: 0, bodyTimeout: 0 },
  });
  const answer = await dispatcher.request({ origin: parent, path: '/naive/day', method: 'GET' });
  const document: unknown = JSON.parse(await answer.body.text());
  // Checked as a careful program would check it, which is what makes it objects with types.
  const { keys } = z.object({ date: z.literal(date), keys: z.array(namedKey) }).parse(document);
  for (const key of keys) held.set(key.accessKeyId, key);
  await dispatcher.close();
}
