import type { CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import {
  ACCEPTANCES_PATH,
  attestPublicKey,
  edgeReport,
  encodeKeyAnswer,
  keyRequest,
  REPORT_PATH,
  rollupBatch,
  SERVICE_KEYS,
  SERVICE_PUBLIC_KEYS,
  systemClock,
  type AttestedPublicKey,
  type IssuedKey,
  type EdgeReport,
  type Rollup,
} from '@sigv4-keyd/hop-protocol';
import { createLogger, createMtlsApp, feedRoute, type MtlsApp } from '@sigv4-keyd/service-skeleton';
import { ecdsaPrivateKey, ecdsaPublicKey } from '@sigv4-keyd/sigv4-core';
import { DerivingParent } from '../edge-verifier/deriving-parent.js';
import { TRUST_DOMAIN } from '../support/certificates.js';
import type { TestFeed } from '../support/test-feed.js';

export const REGION = 'eu-west-1';
export const SERVICE = 's3';

/** A region that remembers what its edges told it. */
export class WatchedRegion {
  readonly parent = new DerivingParent(REGION, SERVICE);
  /** What edges said of themselves, in order. */
  readonly reports: EdgeReport[] = [];
  /** Counts of accepted signatures, each batch once. */
  readonly rollups: Rollup[] = [];
  /** Told of each report as it comes. */
  onReport: (report: EdgeReport) => void = () => undefined;
  url = '';
  readonly #app: MtlsApp;

  private constructor(app: MtlsApp, feed: TestFeed) {
    this.#app = app;
    const forEdges = { config: { mtls: { roles: ['edge'] } } } as const;
    const scope = { region: REGION, service: SERVICE };
    app.post(SERVICE_KEYS.path, { ...forEdges, schema: { body: keyRequest } }, async ({ body }) =>
      encodeKeyAnswer(SERVICE_KEYS, body.date, scope, await this.parent.issue(body)),
    );
    app.post(SERVICE_PUBLIC_KEYS.path, { ...forEdges, schema: { body: keyRequest } }, ({ body }) => {
      const issued = new Map<string, IssuedKey<AttestedPublicKey>>();
      for (const accessKeyId of body.accessKeyIds) {
        const publicKey = ecdsaPublicKey(ecdsaPrivateKey(this.parent.secrets.get(accessKeyId) ?? '', accessKeyId));
        const facts = { accessKeyId, version: 1, createdAt: 0 };
        const terms = { region: REGION, date: body.date, facts };
        issued.set(accessKeyId, { facts, key: attestPublicKey(publicKey, terms, feed.keys.revocation) });
      }
      return encodeKeyAnswer(SERVICE_PUBLIC_KEYS, body.date, scope, { issued, absent: new Map() });
    });
    app.post(REPORT_PATH, { ...forEdges, schema: { body: edgeReport } }, ({ body }, reply) => {
      this.onReport(body);
      this.reports.push(body);
      return reply.code(204).send();
    });
    const batches = new Set<string>();
    app.post(ACCEPTANCES_PATH, { ...forEdges, schema: { body: rollupBatch } }, ({ body }, reply) => {
      if (!batches.has(body.id)) this.rollups.push(...body.rollups);
      batches.add(body.id);
      return reply.code(204).send();
    });
    feedRoute(app, { board: feed, clock: systemClock, roles: ['edge'] });
  }

  static async start(credentials: CredentialsStore, feed: TestFeed): Promise<WatchedRegion> {
    const log = createLogger({ service: 'watched-region', level: 'silent' });
    const region = new WatchedRegion(await createMtlsApp({ credentials, trustDomain: TRUST_DOMAIN, log }), feed);
    region.url = await region.#app.listen({ host: '127.0.0.1', port: 0 });
    return region;
  }

  close(): Promise<void> {
    return this.#app.close();
  }

  /** How many accepted signatures of an access key the edges have counted. */
  accepted(accessKeyId: string): number {
    return this.rollups
      .filter((rollup) => rollup.accessKeyId === accessKeyId)
      .reduce((sum, { count }) => sum + count, 0);
  }

  /** The newest version of the feed that an edge said to have in force; 0: it said nothing yet. */
  get saidInForce(): number {
    return this.reports.at(-1)?.feed?.version ?? 0;
  }
}
