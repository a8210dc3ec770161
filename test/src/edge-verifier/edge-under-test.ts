import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AcceptanceCounts,
  AcceptanceRecord,
  createServiceKeys,
  feedGuard,
  SignatureKeys,
  windowRuleOf,
  type ScopeGuard,
  type ServiceKeys,
} from '@sigv4-keyd/edge-keys';
import {
  DEFAULT_HORIZONS,
  SessionTokens,
  spiffeIdOf,
  type EdgeIdentity,
  type PinnedKeys,
} from '@sigv4-keyd/hop-protocol';
import { configuration, createEdge, RequestMeter, startFronts } from '@sigv4-keyd/edge-verifier';
import { createLogger, LogLines, Metrics, readConfiguration } from '@sigv4-keyd/service-skeleton';
import type { Test } from 'tap';
import { VirtualClock } from '../support/virtual-clock.js';
import { LEDGER_KEYS } from '../support/test-ledger.js';
import { ACCESS_KEY_ID, HOST, NOW, SECRET } from './client.js';
import { DerivedPublicKeys } from './derived-public-keys.js';
import { DerivingParent } from './deriving-parent.js';
import { RecordingUpstream } from './recording-upstream.js';

export interface EdgeUnderTest {
  readonly clock: VirtualClock;
  readonly parent: DerivingParent;
  /** What was accepted. */
  readonly counts: AcceptanceCounts;
  readonly upstream: RecordingUpstream;
  readonly serviceKeys: ServiceKeys;
  /** What the fronts prove signatures with. */
  readonly keys: SignatureKeys;
  /** HOST:PORT of each front. */
  readonly proxy: string;
  readonly proxyTls: string;
  readonly forwardAuth: string;
  /** Every log line, and every answer's bytes that a test adds. */
  readonly log: string[];
  /** The folder that bodies are spooled into. */
  readonly spoolFolder: string;
  readonly reload: () => Promise<void>;
}

export interface EdgeOptions {
  readonly service?: string;
  /** Settings as environment variables, over the defaults of the tests. */
  readonly env?: Readonly<Record<string, string>>;
  /** What the feed says; by default nothing against anyone. */
  readonly guard?: ScopeGuard;
  /** What session tokens are checked against; by default there are none. */
  readonly pinned?: PinnedKeys;
  /** Where the clock stands, epoch milliseconds. */
  readonly now?: number;
}

/** The environment of an edge whose files are there; the mTLS files are not read by what these tests start. */
export function environmentOf(folder: string): Record<string, string> {
  const file = join(folder, 'some.pem');
  writeFileSync(file, 'not read by this test');
  return {
    KEYD_TRUST_DOMAIN: 'keyd.example',
    KEYD_TLS_CERT: file,
    KEYD_TLS_KEY: file,
    KEYD_TLS_CA: file,
    KEYD_STATE_FOLDER: folder,
    KEYD_FEED_KEYS: '{"keys":[]}',
    KEYD_LEDGER_KEYS: LEDGER_KEYS,
    KEYD_REGIONS: 'https://127.0.0.1:1',
    KEYD_EXTERNAL_HOSTS: `${HOST},*.${HOST}`,
    KEYD_PROXY_LISTEN: '127.0.0.1:0',
    KEYD_UPSTREAM: 'http://127.0.0.1:1',
  };
}

/** A feed that has nothing to say, and says so all the time. */
const QUIET_FEED: Parameters<typeof feedGuard>[0] = {
  state: {
    beacon: undefined,
    document: undefined,
    revocations: { find: () => undefined },
    accessKeys: { get: () => undefined },
    freshness: () => 'fresh',
  },
};

/** An edge with all its fronts, a parent that derives, and an upstream that records; closed when the test ends. */
export async function startEdge(t: Test, options: EdgeOptions = {}): Promise<EdgeUnderTest> {
  const { service = 's3', env = {}, now = NOW } = options;
  // Not the test's own folder: a test may start several edges, and each call of testdir() empties it.
  const folder = mkdtempSync(join(tmpdir(), 'edge-under-test-'));
  const spoolFolder = mkdtempSync(join(folder, 'spool-'));
  const upstream = await RecordingUpstream.start();
  let closeFronts = (): Promise<void> => Promise.resolve();
  t.teardown(async () => {
    await upstream.close();
    await closeFronts();
    rmSync(folder, { recursive: true });
  });
  const settings = readConfiguration(configuration, {
    ...environmentOf(folder),
    KEYD_UPSTREAM: upstream.url,
    KEYD_SPOOL_FOLDER: spoolFolder,
    KEYD_FORWARD_AUTH_LISTEN: '127.0.0.1:0',
    KEYD_REFUSALS_PER_SECOND: '1000000',
    ...env,
  });
  const clock = new VirtualClock(now);
  const log: string[] = [];
  const own: EdgeIdentity = { role: 'edge', trustDomain: 'keyd.example', region: 'eu-west-1', service, name: 'edge-1' };
  const { guard = feedGuard(QUIET_FEED, own, { horizons: DEFAULT_HORIZONS, clock }) } = options;
  const parent = new DerivingParent(own.region, own.service);
  parent.secrets.set(ACCESS_KEY_ID, SECRET);
  const serviceKeys = createServiceKeys(settings, { parent, clock, random: () => 0.5, denialOf: () => undefined });
  const lines = new LogLines({ write: (written) => void log.push(...written.split(/(?<=\n)/)) });
  const logger = createLogger({ service: 'edge-verifier', level: 'trace', destination: lines });
  const counts = new AcceptanceCounts();
  const sources = { 'AWS4-HMAC-SHA256': serviceKeys, 'AWS4-ECDSA-P256-SHA256': new DerivedPublicKeys(parent) };
  const record = new AcceptanceRecord(spiffeIdOf(own), { clock, log: logger, counts });
  const sessions = new SessionTokens({ region: own.region, service, pinned: options.pinned ?? new Map(), clock });
  const keys = new SignatureKeys(own, { sources, guard, sessions, window: windowRuleOf(settings), record });
  const meter = new RequestMeter(new Metrics('edge-verifier'));
  const fronts = await startFronts(createEdge(own, settings, { clock, log: logger, lines, keys, meter }), settings);
  closeFronts = () => fronts.close();
  const { proxy = '', proxyTls = '', forwardAuth = '' } = fronts.addresses;
  const reload = (): Promise<void> => fronts.reload();
  return { clock, counts, parent, upstream, serviceKeys, keys, proxy, proxyTls, forwardAuth, log, spoolFolder, reload };
}
