import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSignerApp, type SignerAppOptions } from '@sigv4-keyd/custody-signer';
import { createDeputyApp, type DeputyAppOptions } from '@sigv4-keyd/deputy-keyd';
import { createMasterApp, type MasterAppOptions } from '@sigv4-keyd/master-keyd';
import { createRegionApp, type RegionAppOptions } from '@sigv4-keyd/region-keyd';
import { createHealthApp, createLogger, createMetricsApp, Metrics, VERSION } from '@sigv4-keyd/service-skeleton';
import { TestAuthority, TRUST_DOMAIN } from '../support/certificates.js';
import { frontDocument } from './fronts.js';
import { openApiOf, type DescribedListener, type OpenApi } from './openapi.js';
import { appsMadeBy, isOfTheApi, type ServedRoute } from './served-routes.js';

/** The API of every service, from its own routes: the apps are made, and nobody asks them. */
export async function apiDocuments(): Promise<ReadonlyMap<string, OpenApi>> {
  const folder = mkdtempSync(join(tmpdir(), 'keyd-api-'));
  try {
    const authority = await TestAuthority.create(folder);
    const credentials = await authority.credentials({ role: 'master', name: 'm1' });
    const log = createLogger({ service: 'api', level: 'silent' });
    const given = { credentials, log, own: { trustDomain: TRUST_DOMAIN } };
    const hops = {
      'master-keyd': () => createMasterApp(unusedBut(given) as MasterAppOptions),
      'deputy-keyd': () => createDeputyApp(unusedBut(given) as DeputyAppOptions),
      'region-keyd': () => createRegionApp(unusedBut(given) as RegionAppOptions),
      'edge-verifier': undefined,
      'custody-signer': () => createSignerApp(unusedBut(given) as SignerAppOptions),
    } as const;
    const summaries = summariesIn(['packages/service-skeleton/src']);
    const documents = new Map<string, OpenApi>();
    for (const [service, hop] of Object.entries(hops)) {
      const listeners: DescribedListener[] = [];
      if (hop) listeners.push({ name: 'hop', routes: await routesOf(hop) });
      const health = { notReady: () => [], warnings: () => [], status: () => ({}) };
      listeners.push({ name: 'health', routes: await routesOf(() => Promise.resolve(createHealthApp(health))) });
      const metrics = { metrics: new Metrics('edge-verifier'), readings: () => ({}) };
      listeners.push({ name: 'metrics', routes: await routesOf(() => Promise.resolve(createMetricsApp(metrics))) });
      const own = new Map([...summaries, ...summariesIn([`services/${service}/src`])]);
      documents.set(service, openApiOf(service, VERSION, listeners, own));
    }
    for (const front of ['proxy', 'forward-auth'] as const) {
      documents.set(`edge-verifier-${front}`, frontDocument(front, VERSION));
    }
    return documents;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function routesOf(
  make: () => Promise<{ readonly close: () => Promise<unknown> }>,
): Promise<readonly ServedRoute[]> {
  const [made] = await appsMadeBy(async () => (await make()).close());
  return made?.routes.filter(isOfTheApi) ?? [];
}

/** Stands for what routes ask when they are asked: it is called, read and listened to without any effect. */
const NOTHING: unknown = new Proxy(() => NOTHING, {
  get: (_target, name) => (name === 'then' ? undefined : NOTHING),
});

/** The parts of an app that nobody asks: what is given, and nothing beside it. */
function unusedBut(given: object): unknown {
  return new Proxy(given, { get: (target, name): unknown => Reflect.get(target, name) ?? NOTHING });
}

/** What the file of a route says above it: `POST /v1/report: what an edge says of itself`. */
function summariesIn(folders: readonly string[]): ReadonlyMap<string, string> {
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(folder, name), 'utf8')),
  );
  return new Map(
    files.flatMap((text) =>
      [...text.matchAll(/\/\*\* (GET|POST|PUT|DELETE) (\/\S+?): ([^*]+?)\.? ?\*\//g)].map(
        ([, method = '', path = '', said = '']) =>
          [`${method} ${path.replace('/ID', '/:accessKeyId')}`, said.trim()] as const,
      ),
    ),
  );
}
