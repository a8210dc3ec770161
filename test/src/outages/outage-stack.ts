import { copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { configuration as edgeConfiguration, startEdgeVerifier } from '@sigv4-keyd/edge-verifier';
import type { TlsFiles } from '@sigv4-keyd/fastify-mtls';
import type { CreatedAccessKey } from '@sigv4-keyd/hop-protocol';
import type { EmbeddedPostgres } from '@sigv4-keyd/local-stack';
import { configuration as masterConfiguration, startMasterKeyd } from '@sigv4-keyd/master-keyd';
import { configuration as regionConfiguration, startRegionKeyd } from '@sigv4-keyd/region-keyd';
import { createLogger, readConfiguration, type RunningService } from '@sigv4-keyd/service-skeleton';
import type { Test } from 'tap';
import { request } from 'undici';
import { HOST, presigned, send, signed, type Draft } from '../edge-verifier/client.js';
import { RecordingUpstream } from '../edge-verifier/recording-upstream.js';
import { keydctl, keydctlJson } from '../keydctl/keydctl-under-test.js';
import { environment } from '../master-keyd/master-under-test.js';
import { scrape, type Scrape } from '../metrics/scrape.js';
import { SkewedClock } from '../midnights/skewed-clock.js';
import { TestAuthority } from '../support/certificates.js';
import { LeapingClock } from '../support/leaping-clock.js';
import { freshDatabase, postgresOfItsOwn } from '../support/postgres.js';
import { newStateFolder } from '../support/state-folder.js';
import { tierSettings } from '../support/tier-settings.js';
import { freePort } from '../support/free-port.js';
import { STANDING_TIMER } from '../support/standing-timer.js';

const REGION = 'eu-west-1';
const SERVICE = 's3';
const WATCHED = { KEYD_METRICS_LISTEN: '127.0.0.1:0' };

const IDENTITIES = {
  region: { role: 'region', region: REGION, name: 'r1' },
  edge: { role: 'edge', region: REGION, service: SERVICE, name: 'e1' },
} as const;

export type Tier = 'master' | 'region' | 'edge';
type Starters = Readonly<Record<Tier, () => Promise<RunningService>>>;

/** One of each tier in this process, real mTLS and PostgreSQL, each at an address that it keeps when it comes back. */
export class OutageStack {
  readonly clock: LeapingClock;
  readonly postgres: EmbeddedPostgres;
  readonly #running = new Map<Tier, RunningService>();
  readonly #start: Starters;
  readonly #keydctl: { readonly env: Readonly<Record<string, string>> };
  readonly edgeState: string;
  readonly #files: Readonly<Record<'region' | 'edge', TlsFiles>>;
  readonly #authority: TestAuthority;
  /** How far the edge's clock is off, milliseconds. */
  edgeOffMs = 0;
  /** Whether the region's disk takes nothing. */
  isRegionDiskFull = false;

  private constructor(parts: {
    readonly clock: LeapingClock;
    readonly postgres: EmbeddedPostgres;
    readonly authority: TestAuthority;
    readonly start: (stack: () => OutageStack) => Starters;
    readonly operator: Readonly<Record<string, string>>;
    readonly edgeState: string;
    readonly files: Readonly<Record<'region' | 'edge', TlsFiles>>;
  }) {
    this.clock = parts.clock;
    this.postgres = parts.postgres;
    this.#authority = parts.authority;
    this.#start = parts.start(() => this);
    this.#keydctl = { env: parts.operator };
    this.edgeState = parts.edgeState;
    this.#files = parts.files;
  }

  /** `at`: HH:MM of today, UTC. */
  static async start(t: Test, at: string, edgeEnv: Readonly<Record<string, string>> = {}): Promise<OutageStack> {
    const today = new Date().toISOString().slice(0, 10);
    const clock = new LeapingClock(Date.parse(`${today}T${at}:00Z`));
    const postgres = await postgresOfItsOwn(t);
    const database = await freshDatabase(t, postgres);
    const authority = await TestAuthority.create(newStateFolder(t));
    const log = createLogger({ service: 'outage', level: 'silent' });
    const context = { clock, log, timer: STANDING_TIMER, random: () => 0.5 };
    const [masterPort, regionPort] = [await freePort(), await freePort()];
    const masterUrl = `https://127.0.0.1:${masterPort}`;
    const masterEnv: Record<string, string> = {
      KEYD_DATABASE_WAIT: '0s',
      // Longer than the longest hard horizon of these tests.
      KEYD_BEACON_LIFE: '72h',
      ...(await environment(authority, { database, custodyKey: randomBytes(32) })),
      KEYD_LISTEN: `127.0.0.1:${masterPort}`,
      ...WATCHED,
    };
    const upstream = await RecordingUpstream.start();
    const below = (files: TlsFiles, stateFolder: string): Record<string, string> =>
      tierSettings(files, masterEnv['KEYD_FEED_KEYS'] ?? '', stateFolder);
    const files = {
      region: await authority.filesOf(IDENTITIES.region),
      edge: await authority.filesOf(IDENTITIES.edge),
    };
    const regionEnv = {
      ...below(files.region, newStateFolder(t)),
      KEYD_LISTEN: `127.0.0.1:${regionPort}`,
      ...WATCHED,
      KEYD_MASTERS: masterUrl,
    };
    const edgeState = newStateFolder(t);
    const edgeSettings = {
      ...below(files.edge, edgeState),
      KEYD_REGIONS: `https://127.0.0.1:${regionPort}`,
      KEYD_EXTERNAL_HOSTS: HOST,
      KEYD_PROXY_LISTEN: '127.0.0.1:0',
      KEYD_UPSTREAM: upstream.url,
      ...WATCHED,
      ...edgeEnv,
    };
    const operator = dirname((await authority.filesOf({ role: 'operator', name: 'alice' })).cert);
    const stack: OutageStack = new OutageStack({
      clock,
      postgres,
      authority,
      operator: { KEYD_MASTER: masterUrl, KEYD_CREDENTIALS: operator },
      edgeState,
      files,
      start: (its) => ({
        master: () => startMasterKeyd(readConfiguration(masterConfiguration, masterEnv), context),
        region: () =>
          startRegionKeyd(readConfiguration(regionConfiguration, regionEnv), {
            ...context,
            makeDurable: (handle) =>
              its().isRegionDiskFull ? Promise.reject(new Error('ENOSPC: no space left')) : handle.datasync(),
          }),
        edge: () =>
          startEdgeVerifier(readConfiguration(edgeConfiguration, edgeSettings), {
            ...context,
            clock: new SkewedClock(clock, its().edgeOffMs),
          }),
      }),
    });
    t.teardown(async () => {
      for (const tier of ['edge', 'region', 'master'] as const) await stack.down(tier);
      await upstream.close();
    });
    for (const tier of ['master', 'region', 'edge'] as const) await stack.up(tier);
    await stack.untilFresh();
    return stack;
  }

  async up(tier: Tier): Promise<void> {
    if (!this.#running.has(tier)) this.#running.set(tier, await this.#start[tier]());
  }

  async down(tier: Tier): Promise<void> {
    const service = this.#running.get(tier);
    this.#running.delete(tier);
    await service?.close();
  }

  async reload(tier: Tier): Promise<void> {
    await this.#running.get(tier)?.reload();
  }

  async leap(ms: number): Promise<void> {
    await this.clock.leapTo(this.clock.now() + ms);
  }

  /** Leaps by half seconds until the edge has news of this moment. */
  async untilFresh(): Promise<void> {
    const health = this.#running.get('edge')?.addresses['health'] ?? '';
    const isFresh = async (): Promise<boolean> => {
      const { body } = await request(`http://${health}/status`);
      const { feed } = (await body.json()) as { readonly feed: { readonly freshness: string } };
      return feed.freshness === 'fresh';
    };
    while (!(await isFresh())) await this.leap(500);
  }

  /** What the tier tells Prometheus. */
  scrape(tier: Tier): Promise<Scrape> {
    return scrape(this.#running.get(tier)?.addresses['metrics'] ?? '');
  }

  /** HOST:PORT where the tier answers probes. */
  health(tier: Tier): string {
    return this.#running.get(tier)?.addresses['health'] ?? '';
  }

  /** HOST:PORT of the edge's reverse proxy. */
  get proxy(): string {
    return this.#running.get('edge')?.addresses['proxy'] ?? '';
  }

  createAccessKey(owner: string): Promise<CreatedAccessKey> {
    const args = ['access-key', 'create', '--owner', owner];
    return keydctlJson(args, this.#keydctl) as unknown as Promise<CreatedAccessKey>;
  }

  /** What an operator hears who changes something now. */
  async change(): Promise<string> {
    const { code, err } = await keydctl(['access-key', 'create', '--owner', 'somebody', '--json'], this.#keydctl);
    return code === 0 ? 'done' : err;
  }

  /** Runs keydctl as the operator. */
  keydctl(...args: readonly string[]): Promise<Record<string, unknown>> {
    return keydctlJson(args, this.#keydctl);
  }

  disable(accessKeyId: string): Promise<unknown> {
    return keydctlJson(['access-key', 'disable', accessKeyId], this.#keydctl);
  }

  /** `served`, or the reason of the refusal. A client that hears 503 tries again a few times, as clients do. */
  async verdictOn(accessKey: CreatedAccessKey, how: { readonly urlOf?: number } = {}, attempts = 4): Promise<string> {
    const draft: Draft = {
      accessKeyId: accessKey.accessKeyId,
      secret: accessKey.secretAccessKey,
      region: REGION,
      service: SERVICE,
      now: how.urlOf ?? this.clock.now(),
    };
    const message = how.urlOf === undefined ? signed(draft) : presigned({ ...draft, expiresSeconds: 7 * 86_400 });
    const { status, headers } = await send(this.proxy, message);
    if (status === 200) return 'served';
    const reason = String(headers['x-keyd-reason']);
    if (reason !== 'keys-unavailable' || attempts === 1) return reason;
    await this.leap(6_000);
    return this.verdictOn(accessKey, how, attempts - 1);
  }

  /** Puts another certificate of the edge in the place of the present one. */
  async placeCertificate(tier: 'region' | 'edge', kind: 'expired' | 'good'): Promise<void> {
    // It was good for a day, and ended a minute ago.
    const agoMs = kind === 'expired' ? 86_400_000 + 60_000 : 0;
    const files = await this.#authority.filesOf(IDENTITIES[tier], Date.now() - agoMs);
    for (const part of ['key', 'cert'] as const) copyFileSync(files[part], this.#files[tier][part]);
  }

  /** Takes away all that the edge has on disk. */
  forgetEdge(): void {
    rmSync(this.edgeState, { recursive: true });
    mkdirSync(this.edgeState, { mode: 0o700 });
  }

  /** From now on the edge's state folder takes nothing: what is written there goes to a device that is full. */
  fillEdgeDisk(): void {
    const cache = join(this.edgeState, 'key-cache');
    rmSync(cache, { recursive: true, force: true });
    writeFileSync(cache, 'no folder');
    const unfinished = join(this.edgeState, 'feed-state.unfinished');
    rmSync(unfinished, { force: true });
    symlinkSync('/dev/full', unfinished);
  }
}
