import { createMtlsAgent, type CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import { mtlsKeySource, PeerClient, REGION_KEYS, type RegionKeySource } from '@sigv4-keyd/hop-protocol';
import { configuration, startMasterKeyd } from '@sigv4-keyd/master-keyd';
import { createLogger, readConfiguration, type Logger, type RunningService } from '@sigv4-keyd/service-skeleton';
import { exportFeedKey, publicJwks } from '@sigv4-keyd/revocation';
import { createHmac, randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import type { Test } from 'tap';
import type { Dispatcher } from 'undici';
import { createFeedKeys, type FeedKeys } from '../revocation/publisher.js';
import { TestAuthority, TRUST_DOMAIN } from '../support/certificates.js';
import { freshDatabase } from '../support/postgres.js';
import { LEDGER_KEY } from '../support/test-ledger.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { STANDING_TIMER } from '../support/standing-timer.js';

export const NOON = '2026-11-22T12:00:00Z';
export const TODAY = '20261122';

export interface MasterOptions {
  readonly database?: string;
  readonly clock?: VirtualClock;
  readonly authority?: TestAuthority;
  readonly custodyKey?: Buffer;
  readonly name?: string;
  /** Absent: those that all masters of the process share. */
  readonly feedKeys?: FeedKeys;
  readonly env?: Readonly<Record<string, string>>;
}

/** A master over a real database and real mTLS, and those who call it. */
export interface MasterUnderTest {
  readonly service: RunningService;
  readonly clock: VirtualClock;
  readonly authority: TestAuthority;
  readonly database: string;
  readonly custodyKey: Buffer;
  /** What it logged, a line each. */
  readonly logged: readonly string[];
  /** Every byte of every answer's body that the clients below received. */
  readonly received: readonly Buffer[];
  readonly clientOf: (credentials: CredentialsStore) => PeerClient;
  readonly region: (region: string, name?: string) => Promise<RegionKeySource>;
  readonly operator: (name?: string) => Promise<PeerClient>;
  /** What the health listener answers. */
  readonly health: (path: string) => Promise<{ readonly status: number; readonly body: unknown }>;
}

export async function startMaster(t: Test, options: MasterOptions = {}): Promise<MasterUnderTest> {
  const clock = options.clock ?? new VirtualClock(NOON);
  const authority = options.authority ?? (await TestAuthority.create(t.testdir()));
  const database = options.database ?? (await freshDatabase(t));
  const custodyKey = options.custodyKey ?? randomBytes(32);
  const { log, logged } = capturedLog();
  const env = await environment(authority, { ...options, database, custodyKey });
  const service = await startMasterKeyd(readConfiguration(configuration, env), { clock, log });
  t.teardown(() => service.close());
  const received: Buffer[] = [];
  const clientOf = (credentials: CredentialsStore): PeerClient => {
    const agent = createMtlsAgent({
      credentials,
      timer: STANDING_TIMER,
      acceptsServer: ({ segments }) => segments[0] === 'master',
    });
    t.teardown(() => agent.close());
    const dispatcher = agent.compose(recordingInto(received));
    return new PeerClient({
      urls: [new URL(`https://${service.addresses['hop'] ?? ''}`)],
      dispatcher,
      timer: STANDING_TIMER,
    });
  };
  return {
    service,
    clock,
    authority,
    database,
    custodyKey,
    logged,
    received,
    clientOf,
    async region(region, name = 'r1') {
      const credentials = await authority.credentials({ role: 'region', region, name });
      return mtlsKeySource(REGION_KEYS, { region }, clientOf(credentials));
    },
    async operator(name = 'alice') {
      return clientOf(await authority.credentials({ role: 'operator', name }));
    },
    async health(path) {
      const answer = await fetch(`http://${service.addresses['health'] ?? ''}${path}`);
      return { status: answer.status, body: await answer.json() };
    },
  };
}

/** The environment of a master that lacks nothing. */
export async function environment(
  authority: TestAuthority,
  options: MasterOptions & { readonly database: string; readonly custodyKey: Buffer },
): Promise<Record<string, string>> {
  const files = await authority.filesOf({ role: 'master', name: options.name ?? 'm1' });
  return {
    KEYD_TRUST_DOMAIN: TRUST_DOMAIN,
    KEYD_TLS_CERT: files.cert,
    KEYD_TLS_KEY: files.key,
    KEYD_TLS_CA: files.ca,
    KEYD_LISTEN: '127.0.0.1:0',
    KEYD_HEALTH_LISTEN: '127.0.0.1:0',
    KEYD_DATABASE_URL: options.database,
    KEYD_CUSTODY_KEY: options.custodyKey.toString('base64'),
    ...(await feedSettings(options.feedKeys)),
    KEYD_LEDGER_KEY: LEDGER_KEY,
    ...options.env,
  };
}

let shared: Promise<FeedKeys> | undefined;

/** The keys of the feed that the masters of this test process sign with. */
export function sharedFeedKeys(): Promise<FeedKeys> {
  shared ??= createFeedKeys();
  return shared;
}

async function feedSettings(given?: FeedKeys): Promise<Record<string, string>> {
  const { revocation, beacon, root } = given ?? (await sharedFeedKeys());
  return {
    KEYD_REVOCATION_KEY: JSON.stringify(exportFeedKey(revocation)),
    KEYD_BEACON_KEY: JSON.stringify(exportFeedKey(beacon)),
    KEYD_FEED_KEYS: JSON.stringify(publicJwks([revocation, beacon, root])),
  };
}

export function capturedLog(): { readonly log: Logger; readonly logged: string[] } {
  const logged: string[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      logged.push(chunk.toString());
      done();
    },
  });
  return { log: createLogger({ service: 'master-keyd', level: 'trace', destination }), logged };
}

export const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** kRegion by node:crypto alone. */
export const independentKRegion = (secret: string, date: string, region: string): Buffer =>
  hmac(hmac(`AWS4${secret}`, date), region);

export function recordingInto(received: Buffer[]): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) =>
    dispatch(options, {
      onRequestStart: (...args) => handler.onRequestStart?.(...args),
      onResponseStart: (...args) => handler.onResponseStart?.(...args),
      onResponseData(controller, chunk) {
        received.push(Buffer.from(chunk));
        handler.onResponseData?.(controller, chunk);
      },
      onResponseEnd: (...args) => handler.onResponseEnd?.(...args),
      onResponseError: (...args) => handler.onResponseError?.(...args),
    });
}
