import { dirname } from 'node:path';
import type { TlsFiles } from '@sigv4-keyd/fastify-mtls';
import { configuration as edgeConfiguration, startEdgeVerifier } from '@sigv4-keyd/edge-verifier';
import { configuration as masterConfiguration, startMasterKeyd } from '@sigv4-keyd/master-keyd';
import { configuration as regionConfiguration, startRegionKeyd } from '@sigv4-keyd/region-keyd';
import { createLogger, readConfiguration, type Logger, type RunningService } from '@sigv4-keyd/service-skeleton';
import { randomBytes } from 'node:crypto';
import { Agent } from 'node:http';
import type { Test } from 'tap';
import { request } from 'undici';
import { HOST, send, type Message } from '../edge-verifier/client.js';
import { RecordingUpstream } from '../edge-verifier/recording-upstream.js';
import { keydctl, keydctlJson } from '../keydctl/keydctl-under-test.js';
import { environment } from '../master-keyd/master-under-test.js';
import { TestAuthority } from '../support/certificates.js';
import type { LeapingClock } from '../support/leaping-clock.js';
import { freshDatabase } from '../support/postgres.js';
import { newStateFolder } from '../support/state-folder.js';
import { tierSettings } from '../support/tier-settings.js';
import { STANDING_TIMER } from '../support/standing-timer.js';

export interface EdgeOfStory {
  readonly region: string;
  readonly service: string;
  /** HOST:PORT of its reverse proxy. */
  readonly proxy: string;
  /** `served`, or the reason of the refusal. */
  readonly verdictOn: (message: Message) => Promise<string>;
}

export interface StoryOptions {
  /** Settings of every edge, over those of the story. */
  readonly edge?: Readonly<Record<string, string>>;
  /** Absent: nobody reads it. */
  readonly log?: Logger;
  /** Settings of every tier. */
  readonly every?: Readonly<Record<string, string>>;
  /** Starts what the master needs beside itself; resolves to the master's settings for it. */
  readonly beside?: (authority: TestAuthority) => Promise<Readonly<Record<string, string>>>;
}

export interface StoryTiers {
  readonly authority: TestAuthority;
  readonly database: string;
  readonly upstream: RecordingUpstream;
  readonly edges: readonly EdgeOfStory[];
  /** Runs keydctl as the operator. */
  readonly keydctl: (...args: readonly string[]) => Promise<Record<string, unknown>>;
  /** The same, as it prints without --json. */
  readonly printed: (...args: readonly string[]) => Promise<string>;
  /** Leaps to the instant, and on until every edge has news of it. */
  readonly leapTo: (instant: number) => Promise<void>;
}

/** Whole tiers in this process: the master over real PostgreSQL, a region each, an edge for each scope; real mTLS. */
export async function startStoryTiers(
  t: Test,
  clock: LeapingClock,
  scopes: readonly { readonly region: string; readonly service: string }[],
  options: StoryOptions = {},
): Promise<StoryTiers> {
  const { edge: edgeEnv = {}, log = createLogger({ service: 'story', level: 'silent' }), every = {} } = options;
  const authority = await TestAuthority.create(t.testdir());
  const database = await freshDatabase(t);
  const context = { clock, log, timer: STANDING_TIMER, random: () => 0.5 };
  const stops: (() => Promise<unknown>)[] = [];
  t.teardown(async () => {
    for (const stop of stops.toReversed()) await stop();
  });
  const started = (service: RunningService): RunningService => {
    stops.push(() => service.close());
    return service;
  };

  const env = {
    ...(await environment(authority, { database, custodyKey: randomBytes(32) })),
    ...every,
    ...(await options.beside?.(authority)),
  };
  const master = started(await startMasterKeyd(readConfiguration(masterConfiguration, env), context));
  const masterUrl = `https://${master.addresses['hop'] ?? ''}`;
  const below = (files: TlsFiles): Record<string, string> => ({
    ...tierSettings(files, env['KEYD_FEED_KEYS'] ?? '', newStateFolder(t)),
    ...every,
  });
  const regions = new Map<string, string>();
  for (const region of new Set(scopes.map((scope) => scope.region))) {
    const settings = readConfiguration(regionConfiguration, {
      ...below(await authority.filesOf({ role: 'region', region, name: 'r1' })),
      KEYD_LISTEN: '127.0.0.1:0',
      KEYD_MASTERS: masterUrl,
    });
    const service = started(await startRegionKeyd(settings, context));
    regions.set(region, `https://${service.addresses['hop'] ?? ''}`);
  }

  const upstream = await RecordingUpstream.start();
  stops.push(() => upstream.close());
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  stops.push(() => {
    agent.destroy();
    return Promise.resolve();
  });
  const health: string[] = [];
  const edges: EdgeOfStory[] = [];
  for (const { region, service } of scopes) {
    const settings = readConfiguration(edgeConfiguration, {
      ...below(await authority.filesOf({ role: 'edge', region, service, name: 'e1' })),
      KEYD_REGIONS: regions.get(region) ?? '',
      KEYD_EXTERNAL_HOSTS: HOST,
      KEYD_PROXY_LISTEN: '127.0.0.1:0',
      KEYD_UPSTREAM: upstream.url,
      ...edgeEnv,
    });
    const edge = started(await startEdgeVerifier(settings, context));
    health.push(edge.addresses['health'] ?? '');
    const proxy = edge.addresses['proxy'] ?? '';
    const verdictOn = async (message: Message, attempts = 5): Promise<string> => {
      const { status, headers } = await send(proxy, message, { agent });
      const verdict = status === 200 ? 'served' : String(headers['x-keyd-reason']);
      // No verdict on the signature: a busy machine was too slow to fetch a key. Clients try again, too.
      return verdict === 'keys-unavailable' && attempts > 1 ? verdictOn(message, attempts - 1) : verdict;
    };
    edges.push({ region, service, proxy, verdictOn });
  }

  const operator = dirname((await authority.filesOf({ role: 'operator', name: 'alice' })).cert);
  const call = { env: { KEYD_MASTER: masterUrl, KEYD_CREDENTIALS: operator } };
  return {
    authority,
    database,
    upstream,
    edges,
    keydctl: (...args) => keydctlJson(args, call),
    printed: async (...args) => (await keydctl(args, call)).out,
    async leapTo(instant) {
      await clock.leapTo(instant);
      while (!(await Promise.all(health.map(isFresh))).every(Boolean)) await clock.leapTo(clock.now() + 500);
    },
  };
}

/** Whether an edge holds a beacon of these moments. */
async function isFresh(health: string): Promise<boolean> {
  const { body } = await request(`http://${health}/status`);
  const { feed } = (await body.json()) as { readonly feed: { readonly freshness: string } };
  return feed.freshness === 'fresh';
}
