import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { Agent } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createMtlsAgent } from '@sigv4-keyd/fastify-mtls';
import { mtlsKeySource, PeerClient, type Hop, type KeySource } from '@sigv4-keyd/hop-protocol';
import type { Test } from 'tap';
import { HOST, send, type Message } from '../edge-verifier/client.js';
import { RecordingUpstream } from '../edge-verifier/recording-upstream.js';
import { keydctlJson } from '../keydctl/keydctl-under-test.js';
import { environment } from '../master-keyd/master-under-test.js';
import { TestAuthority } from '../support/certificates.js';
import { freePort } from '../support/free-port.js';
import { freshDatabase } from '../support/postgres.js';
import { newStateFolder } from '../support/state-folder.js';
import { tierSettings } from '../support/tier-settings.js';
import { serviceProcess, until } from '../support/victim.js';
import { STANDING_TIMER } from '../support/standing-timer.js';

export const REGION = 'us-east-1';
export const SERVICE = 's3';

/** A tier as a process of its own. */
export interface TierProcess {
  /** Of the process that runs now. */
  readonly pid: () => number;
  /** What /status answers. */
  readonly status: () => Promise<TierStatus>;
  /** What it answers Prometheus. */
  readonly metrics: () => Promise<string>;
  /** Stops it in its own order and starts it again over the same folders; resolves once it is ready. */
  readonly restart: () => Promise<void>;
  /** kill -9; and again over the same folders. */
  readonly kill: () => Promise<void>;
  readonly start: () => Promise<void>;
}

export interface EdgeProcess extends TierProcess {
  /** `served`, or the reason of the refusal. */
  readonly verdictOn: (message: Message) => Promise<string>;
}

export interface TierStatus {
  readonly ready: boolean;
  /** Whether it says that it runs under the permission model. */
  readonly confined: boolean;
  readonly heldDays?: readonly { readonly keys: number }[];
  readonly keyCache?: { readonly isBehind: boolean };
}

export interface EdgeOptions {
  /** A file whose content it keeps in its memory as a leak would. */
  readonly planted?: string;
  /** What its certificate binds it to. */
  readonly purpose?: 'aws4_request';
}

export interface ProcessTiers {
  readonly master: TierProcess;
  readonly region: TierProcess;
  readonly masterUrl: URL;
  readonly database: string;
  /** Has in it what region and edges keep, and all that every tier logs. */
  readonly folder: string;
  readonly upstream: RecordingUpstream;
  readonly custodyKey: Buffer;
  /** Asks the master as a region does, from the process of the test. */
  readonly asRegion: <Key>(hop: Hop<Key>) => KeySource<Key>;
  /** Another master, which keeps the content of the file in its memory as a leak would. */
  readonly startLeakingMaster: (planted: string) => Promise<TierProcess>;
  readonly keydctl: (...args: readonly string[]) => Promise<Record<string, unknown>>;
  /** An edge of REGION and SERVICE. */
  readonly startEdge: (name: string, options?: EdgeOptions) => Promise<EdgeProcess>;
}

/** What a keeper beside the master is started with. */
export interface BesideTheMaster {
  readonly authority: TestAuthority;
  readonly stateFolder: string;
  readonly startTier: (name: string, env: Readonly<Record<string, string>>) => Promise<TierProcess>;
}

export interface ProcessTiersOptions {
  /** What a tier is given beside its settings. */
  readonly more?: (name: string, settings: Readonly<Record<string, string>>) => Readonly<Record<string, string>>;
  /** They collect their garbage on SIGUSR2, and SIGWINCH lets a month pass in them. */
  readonly obeysSignals?: boolean;
  /** Starts what stands beside the master, before it, and tells what the master is given more. */
  readonly beside?: (given: BesideTheMaster) => Promise<Readonly<Record<string, string>>>;
}

/** Master, region and edges as they run in production: processes over mTLS and PostgreSQL, by the system's clock. */
export async function startProcessTiers(
  t: Test,
  { obeysSignals = false, more = () => ({}), beside = () => Promise.resolve({}) }: ProcessTiersOptions = {},
): Promise<ProcessTiers> {
  const authority = await TestAuthority.create(newStateFolder(t));
  const custodyKey = randomBytes(32);
  const upstream = await RecordingUpstream.start();
  t.teardown(() => upstream.close());
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  t.teardown(() => agent.destroy());

  const database = await freshDatabase(t);
  const folder = newStateFolder(t);
  const stateFolderOf = (name: string): string => {
    const own = join(folder, name);
    mkdirSync(own);
    return own;
  };
  const log = openSync(join(folder, 'log'), 'a');
  t.teardown(() => closeSync(log));
  const startTier = (name: string, env: Readonly<Record<string, string>>): Promise<TierProcess> =>
    startProcess(t, name, { ...env, KEYD_LOG_LEVEL: 'trace', ...more(name, env) }, log);

  const given = await beside({ authority, stateFolder: stateFolderOf('beside'), startTier });
  const env = await environment(authority, { database, custodyKey, env: given });
  const masterUrl = `https://${await address()}`;
  const startMaster = (url: string, more: Readonly<Record<string, string>> = {}): Promise<TierProcess> =>
    startTier('master-keyd', {
      ...env,
      KEYD_LISTEN: new URL(url).host,
      ...preloaded(obeysSignals ? onSignal : undefined),
      ...more,
    });
  const master = await startMaster(masterUrl);
  const askerOf = await peerOf(t, authority, masterUrl);
  const regionUrl = `https://${await address()}`;
  const region = await startTier('region-keyd', {
    ...tierSettings(
      await authority.filesOf({ role: 'region', region: REGION, name: 'r1' }),
      env['KEYD_FEED_KEYS'] ?? '',
      stateFolderOf('r1'),
    ),
    ...preloaded(obeysSignals ? onSignal : undefined),
    KEYD_LISTEN: new URL(regionUrl).host,
    KEYD_MASTERS: masterUrl,
  });
  const operator = dirname((await authority.filesOf({ role: 'operator', name: 'alice' })).cert);
  return {
    ...{ master, region, masterUrl: new URL(masterUrl), database, folder, upstream, custodyKey },
    asRegion: (hop) => mtlsKeySource(hop, { region: REGION }, askerOf),
    async startLeakingMaster(planted) {
      return startMaster(`https://${await address()}`, { PLANTED_FILE: planted, ...preloaded(plantedLeak) });
    },
    keydctl: (...args) => keydctlJson(args, { env: { KEYD_MASTER: masterUrl, KEYD_CREDENTIALS: operator } }),
    async startEdge(name, { planted, purpose } = {}) {
      const identity = { role: 'edge', region: REGION, service: SERVICE, name, ...(purpose && { purpose }) } as const;
      const files = await authority.filesOf(identity);
      const proxy = await address();
      const edge = await startTier('edge-verifier', {
        ...tierSettings(files, env['KEYD_FEED_KEYS'] ?? '', stateFolderOf(name)),
        KEYD_REGIONS: regionUrl,
        KEYD_EXTERNAL_HOSTS: HOST,
        KEYD_PROXY_LISTEN: proxy,
        KEYD_UPSTREAM: upstream.url,
        KEYD_ALGORITHMS: 'AWS4-HMAC-SHA256,AWS4-ECDSA-P256-SHA256',
        ...preloaded(obeysSignals ? onSignal : undefined),
        ...(planted !== undefined && keeping(planted)),
      });
      const verdictOn = async (message: Message): Promise<string> => {
        const { status, headers } = await send(proxy, message, { agent });
        return status === 200 ? 'served' : String(headers['x-keyd-reason']);
      };
      return { ...edge, verdictOn };
    },
  };
}

async function peerOf(t: Test, authority: TestAuthority, masterUrl: string): Promise<PeerClient> {
  const credentials = await authority.credentials({ role: 'region', region: REGION, name: 'r2' });
  const dispatcher = createMtlsAgent({ credentials, timer: STANDING_TIMER, acceptsServer: () => true });
  t.teardown(() => dispatcher.destroy());
  return new PeerClient({ urls: [new URL(masterUrl)], dispatcher, timer: STANDING_TIMER });
}

const onSignal = fileURLToPath(new URL('on-signal.js', import.meta.url));
const plantedLeak = fileURLToPath(new URL('planted-leak.js', import.meta.url));

/** For a service that keeps the content of the file in its memory, from its start on, as a leak would. */
export const keeping = (file: string): Readonly<Record<string, string>> => ({
  PLANTED_FILE: file,
  ...preloaded(plantedLeak),
});

const preloaded = (path: string | undefined): Readonly<Record<string, string>> =>
  path === undefined ? {} : { NODE_OPTIONS: `--import ${path}` };

const address = async (): Promise<string> => `127.0.0.1:${await freePort()}`;

/** Resolves once the service says that it is ready. */
async function startProcess(
  t: Test,
  name: string,
  env: Readonly<Record<string, string>>,
  log: number,
): Promise<TierProcess> {
  const health = await address();
  const metrics = await address();
  const listening = { KEYD_HEALTH_LISTEN: health, KEYD_METRICS_LISTEN: metrics };
  const victim = serviceProcess(t, name, { ...env, ...listening }, log);
  const status = async (): Promise<TierStatus> => {
    const answer = await fetch(`http://${health}/status`);
    return (await answer.json()) as TierStatus;
  };
  const start = (): Promise<void> => {
    const child = victim.start();
    return until(async () => {
      if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}`);
      return status().then(
        ({ ready }) => ready,
        () => false,
      );
    });
  };
  await start();
  return {
    pid: () => victim.child?.pid ?? 0,
    status,
    metrics: async () => (await fetch(`http://${metrics}/metrics`)).text(),
    async restart() {
      await victim.stop();
      await start();
    },
    kill: () => victim.kill(),
    start,
  };
}
