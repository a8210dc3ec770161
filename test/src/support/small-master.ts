import type { CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import {
  encodeKeyAnswer,
  hasRole,
  KeydError,
  keyAnswer,
  keyRequest,
  REGION_KEYS,
  REPORT_PATH,
  regionReport,
  type Absence,
  type Clock,
  type IssuedKey,
  type KeyRequest,
  type RegionReport,
} from '@sigv4-keyd/hop-protocol';
import { createLogger, createMtlsApp, feedRoute, type FeedBoard, type MtlsApp } from '@sigv4-keyd/service-skeleton';
import { kDate, kRegion, kSecret, type KRegion } from '@sigv4-keyd/sigv4-core';
import { TRUST_DOMAIN } from './certificates.js';

/** What a test tells the small master of an access key. */
export interface KnownAccessKey {
  readonly secretAccessKey: string;
  readonly version?: number;
  /** Why it has no key, when it has none. */
  readonly absence?: Absence;
  readonly expiresAt?: number;
  readonly services?: readonly string[];
  readonly createdAt?: number;
}

/** The upper side of the first hop with secrets in a map: everything above a region that a test of regions needs. */
export class SmallMaster {
  readonly app: MtlsApp;
  /** By their ids; a test may change them. */
  readonly accessKeys: Map<string, KnownAccessKey>;
  readonly asked: (KeyRequest & { readonly region: string })[] = [];
  readonly reports: RegionReport[] = [];
  /** Answers are passed through here: a test can make this master lie. */
  twist: (answer: object) => object = (answer) => answer;
  isDown = false;
  /** Answers wait for it. */
  delay: Promise<void> = Promise.resolve();

  private constructor(app: MtlsApp, accessKeys: Map<string, KnownAccessKey>) {
    this.app = app;
    this.accessKeys = accessKeys;
    app.post(
      REGION_KEYS.path,
      { config: { mtls: { roles: ['region'] } }, schema: { body: keyRequest } },
      async (request) => {
        if (!hasRole(request.peer, 'region')) throw new KeydError('role-not-allowed');
        if (this.isDown) throw new KeydError('database-unavailable');
        const { region } = request.peer;
        const { date, accessKeyIds } = request.body;
        this.asked.push({ date, accessKeyIds, region });
        const issued = new Map<string, IssuedKey<KRegion>>();
        const absent = new Map<string, Absence>();
        for (const accessKeyId of accessKeyIds) {
          const known = accessKeys.get(accessKeyId);
          const {
            secretAccessKey = '',
            absence,
            ...facts
          }: Partial<KnownAccessKey> = known ?? { absence: 'unknown' as const };
          if (absence) {
            absent.set(accessKeyId, absence);
            continue;
          }
          const key = kRegion(kDate(kSecret(secretAccessKey), date), region);
          issued.set(accessKeyId, { facts: { accessKeyId, version: 1, createdAt: 0, ...facts }, key });
        }
        await this.delay;
        return this.twist(keyAnswer.parse(encodeKeyAnswer(REGION_KEYS, date, { region }, { issued, absent })));
      },
    );
    app.post(
      REPORT_PATH,
      { config: { mtls: { roles: ['region'] } }, schema: { body: regionReport } },
      async (request, reply) => {
        this.reports.push(request.body);
        return reply.code(204).send();
      },
    );
  }

  static async create(
    credentials: CredentialsStore,
    accessKeys: Readonly<Record<string, KnownAccessKey>>,
    feed?: { readonly board: FeedBoard; readonly clock: Clock },
  ): Promise<SmallMaster> {
    const log = createLogger({ service: 'small-master', level: 'fatal' });
    const app = await createMtlsApp({ credentials, trustDomain: TRUST_DOMAIN, log });
    if (feed) feedRoute(app, { ...feed, roles: ['region'] });
    return new SmallMaster(app, new Map(Object.entries(accessKeys)));
  }

  async listen(): Promise<URL> {
    return new URL(await this.app.listen({ host: '127.0.0.1', port: 0 }));
  }
}
