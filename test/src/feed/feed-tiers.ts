import { configuration as edgeConfiguration, startEdgeVerifier } from '@sigv4-keyd/edge-verifier';
import { configuration as regionConfiguration, startRegionKeyd } from '@sigv4-keyd/region-keyd';
import type { TlsFiles } from '@sigv4-keyd/fastify-mtls';
import { createLogger, readConfiguration, type RunningService } from '@sigv4-keyd/service-skeleton';
import type { Test } from 'tap';
import { request } from 'undici';
import { HOST, NOW, SECRET, send, signed, type Draft } from '../edge-verifier/client.js';
import { RecordingUpstream } from '../edge-verifier/recording-upstream.js';
import { TestAuthority } from '../support/certificates.js';
import { SmallMaster } from '../support/small-master.js';
import { SmallRegion } from '../support/small-region.js';
import { newStateFolder } from '../support/state-folder.js';
import { TestFeed } from '../support/test-feed.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { tierSettings } from '../support/tier-settings.js';

export const REGION = 'eu-west-1';
export const ANN = 'AKIAFEEDANN';
export const BEN = 'AKIAFEEDBEN';
/** Created after the instant of the tests' `issuedBefore`. */
export const NEW = 'AKIAFEEDNEW';
export const NEW_SINCE = NOW - 60_000;

export interface Tier {
  readonly service: RunningService;
  readonly stateFolder: string;
  readonly files: TlsFiles;
  readonly log: string[];
  readonly close: () => Promise<void>;
}

export interface RegionTier extends Tier {
  readonly url: string;
}

export interface EdgeTier extends Tier {
  /** The reason of the refusal, or 'served'. */
  readonly verdictOn: (draft?: Draft) => Promise<string>;
}

interface Start {
  readonly name?: string;
  readonly stateFolder?: string;
  /** Of an earlier run, so that the private key is the same; by default new ones. */
  readonly files?: TlsFiles;
  readonly env?: Readonly<Record<string, string>>;
}

/** A small master that serves the feed, and what is started below it, all over real mTLS on one virtual clock. */
export class FeedTiers {
  readonly clock: VirtualClock;
  /** Rings the ends of waits for the network; it stands still, so that a busy machine is no outage. */
  readonly timer = new VirtualClock(0);
  readonly feed: TestFeed;
  readonly master: SmallMaster;
  readonly authority: TestAuthority;
  readonly upstream: RecordingUpstream;
  readonly masterUrl: string;
  readonly #t: Test;
  readonly #running: (() => Promise<unknown>)[] = [];

  private constructor(
    t: Test,
    parts: Pick<FeedTiers, 'clock' | 'feed' | 'master' | 'authority' | 'upstream' | 'masterUrl'>,
  ) {
    this.#t = t;
    this.clock = parts.clock;
    this.feed = parts.feed;
    this.master = parts.master;
    this.authority = parts.authority;
    this.upstream = parts.upstream;
    this.masterUrl = parts.masterUrl;
  }

  static async start(t: Test): Promise<FeedTiers> {
    const clock = new VirtualClock(NOW);
    const feed = await TestFeed.create(clock);
    const authority = await TestAuthority.create(t.testdir());
    const credentials = await authority.credentials({ role: 'master', name: 'm1' });
    const master = await SmallMaster.create(
      credentials,
      {
        [ANN]: { secretAccessKey: SECRET },
        [BEN]: { secretAccessKey: SECRET },
        [NEW]: { secretAccessKey: SECRET, createdAt: NEW_SINCE },
      },
      { board: feed, clock },
    );
    const masterUrl = (await master.listen()).origin;
    const upstream = await RecordingUpstream.start();
    const tiers = new FeedTiers(t, { clock, feed, master, authority, upstream, masterUrl });
    t.teardown(async () => {
      await upstream.close();
      for (const close of tiers.#running.toReversed()) await close();
      await master.app.close();
    });
    return tiers;
  }

  async startRegion(start: Start = {}): Promise<RegionTier> {
    const { name = 'r1', stateFolder = newStateFolder(this.#t), env = {} } = start;
    const files = start.files ?? (await this.authority.filesOf({ role: 'region', region: REGION, name }));
    const settings = readConfiguration(regionConfiguration, {
      ...tierSettings(files, this.feed.jwks, stateFolder),
      KEYD_LISTEN: '127.0.0.1:0',
      KEYD_MASTERS: this.masterUrl,
      ...env,
    });
    const { log, context } = this.#context('region-keyd');
    const service = await startRegionKeyd(settings, context);
    return { url: `https://${service.addresses['hop'] ?? ''}`, ...this.#tier({ service, stateFolder, files, log }) };
  }

  /** A region that a test makes answer what it wants. */
  async startSmallRegion(name = 'r9', region = REGION): Promise<SmallRegion & { readonly url: string }> {
    const credentials = await this.authority.credentials({ role: 'region', region, name });
    const small = await SmallRegion.create(credentials, region, 's3');
    for (const accessKeyId of [ANN, BEN, NEW]) small.parent.secrets.set(accessKeyId, SECRET);
    const url = await small.app.listen({ host: '127.0.0.1', port: 0 });
    this.#running.push(() => small.app.close());
    return Object.assign(small, { url });
  }

  async startEdge(regions: string, start: Start = {}): Promise<EdgeTier> {
    const { name = 'e1', stateFolder = newStateFolder(this.#t), env = {} } = start;
    const files = start.files ?? (await this.authority.filesOf({ role: 'edge', region: REGION, service: 's3', name }));
    const settings = readConfiguration(edgeConfiguration, {
      ...tierSettings(files, this.feed.jwks, stateFolder),
      KEYD_REGIONS: regions,
      KEYD_EXTERNAL_HOSTS: HOST,
      KEYD_PROXY_LISTEN: '127.0.0.1:0',
      KEYD_FORWARD_AUTH_LISTEN: '127.0.0.1:0',
      KEYD_UPSTREAM: this.upstream.url,
      ...env,
    });
    const { log, context } = this.#context('edge-verifier');
    const service = await startEdgeVerifier(settings, context);
    const verdictOn = async (draft: Draft = {}): Promise<string> => {
      const message = signed({ accessKeyId: ANN, now: this.clock.now(), ...draft });
      const { status, headers } = await send(service.addresses['proxy'] ?? '', message);
      return status === 200 ? 'served' : String(headers['x-keyd-reason']);
    };
    return { ...this.#tier({ service, stateFolder, files, log }), verdictOn };
  }

  #tier(parts: Omit<Tier, 'close'>): Tier {
    let closing: Promise<void> | undefined;
    const close = (): Promise<void> => (closing ??= parts.service.close());
    this.#running.push(close);
    return { ...parts, close };
  }

  #context(service: string) {
    const log: string[] = [];
    const destination = { write: (line: string) => log.push(line) };
    const logger = createLogger({ service, level: 'info', destination });
    return { log, context: { clock: this.clock, timer: this.timer, log: logger, random: () => 0.5 } };
  }
}

export interface TierStatus {
  readonly ready: boolean;
  readonly notReady: readonly string[];
  readonly warnings: readonly string[];
  readonly keyCache: { readonly keptIn: string; readonly isBehind?: boolean; readonly bytes?: number };
  readonly heldDays: readonly { readonly date: string; readonly keys: number }[];
  readonly feed: {
    readonly version?: number;
    readonly statements: number;
    readonly accessKeyChanges: number;
    readonly freshness: string;
    readonly sources: readonly { readonly source: string; readonly accepted: number; readonly refused: number }[];
  };
}

export async function statusOf({ service }: Tier): Promise<TierStatus> {
  const { body } = await request(`http://${service.addresses['health'] ?? ''}/status`);
  return (await body.json()) as TierStatus;
}

export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise(setImmediate);
}

/** Waits until the tier has accepted a beacon of this version or a later one. */
export function untilVersion(tier: Tier, version: number): Promise<void> {
  return until(async () => ((await statusOf(tier)).feed.version ?? 0) >= version);
}

/** Waits until a restart of the tier would find all that it holds. */
export async function untilKept({ clock }: FeedTiers, tier: Tier): Promise<void> {
  await until(async () => {
    await clock.advance(1_000);
    return (await statusOf(tier)).keyCache.isBehind === false;
  });
}

/** Log lines of an event, parsed. */
export function told(tier: Tier, event: string): readonly Readonly<Record<string, unknown>>[] {
  return tier.log
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
    .filter((line) => line['event'] === event);
}
