import type { CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import {
  encodeKeyAnswer,
  FEED_PATH,
  feedQuery,
  keyRequest,
  REPORT_PATH,
  SERVICE_KEYS,
  spiffeIdOf,
  type FeedQuery,
} from '@sigv4-keyd/hop-protocol';
import { createLogger, createMtlsApp, type MtlsApp } from '@sigv4-keyd/service-skeleton';
import { DerivingParent } from '../edge-verifier/deriving-parent.js';
import { TRUST_DOMAIN } from './certificates.js';

export interface FeedReply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The upper side of the second hop with secrets in a map, and a feed that says whatever a test wants it to say. */
export class SmallRegion {
  readonly app: MtlsApp;
  readonly parent: DerivingParent;
  /** Answers the beat, and long polls where `answersPolls`. By default there is nothing. */
  feed: (query: FeedQuery, asker: string) => FeedReply = () => ({ status: 204 });
  /** Otherwise long polls are held for good. */
  answersPolls = false;
  readonly asked: FeedQuery[] = [];

  private constructor(app: MtlsApp, region: string, service: string) {
    this.app = app;
    this.parent = new DerivingParent(region, service);
    const forEdges = { config: { mtls: { roles: ['edge'] } } } as const;
    app.post(SERVICE_KEYS.path, { ...forEdges, schema: { body: keyRequest } }, async ({ body }) =>
      encodeKeyAnswer(SERVICE_KEYS, body.date, { region, service }, await this.parent.issue(body)),
    );
    app.post(REPORT_PATH, forEdges, (_request, reply) => reply.code(204).send());
    app.get(FEED_PATH, { ...forEdges, schema: { querystring: feedQuery } }, async (request, reply) => {
      this.asked.push(request.query);
      if (request.query.wait > 0 && !this.answersPolls) {
        await new Promise((resolve) => request.raw.socket.once('close', resolve));
        return reply.code(204).send();
      }
      const { status = 200, headers = {}, body } = this.feed(request.query, spiffeIdOf(request.peer));
      return reply
        .code(status)
        .headers({ 'content-type': 'application/json', ...headers })
        .send(body);
    });
  }

  static async create(credentials: CredentialsStore, region: string, service: string): Promise<SmallRegion> {
    const log = createLogger({ service: 'small-region', level: 'silent' });
    const app = await createMtlsApp({ credentials, trustDomain: TRUST_DOMAIN, log });
    return new SmallRegion(app, region, service);
  }
}
