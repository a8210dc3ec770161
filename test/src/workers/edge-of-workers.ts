import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '@sigv4-keyd/hop-protocol';
import type { Test } from 'tap';
import { z } from 'zod';
import {
  ACCESS_KEY_ID,
  HOST,
  SECRET,
  send,
  type Message,
  type Reply,
  type SendOptions,
} from '../edge-verifier/client.js';
import { RecordingUpstream } from '../edge-verifier/recording-upstream.js';
import { TestAuthority } from '../support/certificates.js';
import { freePort } from '../support/free-port.js';
import { newStateFolder } from '../support/state-folder.js';
import { TestFeed } from '../support/test-feed.js';
import { withNodeOptions } from '../support/own-node-options.js';
import { tierSettings } from '../support/tier-settings.js';
import { mainOf, serviceProcess, until, type Victim } from '../support/victim.js';
import { REGION, SERVICE, WatchedRegion } from './watched-region.js';

const workerStatus = z.object({
  pid: z.number(),
  servingSince: z.string().optional(),
  feedVersion: z.number(),
  keysHeld: z.number(),
});
export type WorkerStatus = z.output<typeof workerStatus>;

const status = z.object({
  ready: z.boolean(),
  notReady: z.array(z.string()),
  warnings: z.array(z.string()),
  feed: z.object({ version: z.number().optional() }),
  workers: z.array(workerStatus).default([]),
});
export type EdgeStatus = z.output<typeof status>;

export interface AboveEdges {
  readonly authority: TestAuthority;
  readonly feed: TestFeed;
  readonly region: WatchedRegion;
  readonly upstream: RecordingUpstream;
}

/** A region, a feed and an upstream in the process of the test, by the system's clock. */
export async function startAbove(t: Test): Promise<AboveEdges> {
  const authority = await TestAuthority.create(newStateFolder(t));
  const feed = await TestFeed.create(systemClock);
  await feed.publish();
  const region = await WatchedRegion.start(
    await authority.credentials({ role: 'region', region: REGION, name: 'r1' }),
    feed,
  );
  region.parent.secrets.set(ACCESS_KEY_ID, SECRET);
  const upstream = await RecordingUpstream.start();
  t.teardown(async () => {
    await upstream.close();
    await region.close();
  });
  return { authority, feed, region, upstream };
}

export interface EdgeOfWorkers {
  readonly victim: Victim;
  readonly stateFolder: string;
  readonly env: Readonly<Record<string, string>>;
  /** HOST:PORT of the reverse proxy, and of forward auth. */
  readonly proxy: string;
  readonly forwardAuth: string;
  /** All that it and its workers logged. */
  readonly log: () => string;
  readonly status: () => Promise<EdgeStatus>;
  /** A metric by its name and labels, as it stands in a scrape. */
  readonly metric: (name: string) => Promise<number>;
  readonly send: (message: Message, options?: SendOptions) => Promise<Reply>;
  /** Process numbers of the workers that serve. */
  readonly pids: () => Promise<readonly number[]>;
}

export interface EdgeOptions {
  readonly workers: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Confined, by the options that the service prints for so many workers. */
  readonly confinedFor?: number;
  /** Whether the start is waited for. */
  readonly isWaited?: boolean;
}

function confinement(env: Readonly<Record<string, string>>, workers: number | undefined): { NODE_OPTIONS?: string } {
  if (workers === undefined) return {};
  const [command, ...args] = withNodeOptions('', [process.execPath, mainOf('edge-verifier'), '--node-options']);
  const given = { ...env, KEYD_WORKERS: String(workers), PATH: process.env['PATH'] };
  return { NODE_OPTIONS: execFileSync(command, args, { env: given, encoding: 'utf8' }).trim().replaceAll('\n', ' ') };
}

/** edge-verifier as a process, ready to serve. */
export async function startEdge(t: Test, above: AboveEdges, options: EdgeOptions): Promise<EdgeOfWorkers> {
  const { authority, feed, region, upstream } = above;
  const stateFolder = newStateFolder(t);
  const files = await authority.filesOf({ role: 'edge', region: REGION, service: SERVICE, name: 'e1' });
  const [proxy = '', forwardAuth = '', health = '', metrics = ''] = await Promise.all(
    Array.from({ length: 4 }, async () => `127.0.0.1:${await freePort()}`),
  );
  const path = join(newStateFolder(t), 'log');
  writeFileSync(path, '');
  const file = openSync(path, 'a');
  t.teardown(() => closeSync(file));
  const env = {
    ...tierSettings(files, feed.jwks, stateFolder),
    KEYD_REGIONS: region.url,
    KEYD_EXTERNAL_HOSTS: HOST,
    KEYD_PROXY_LISTEN: proxy,
    KEYD_FORWARD_AUTH_LISTEN: forwardAuth,
    KEYD_UPSTREAM: upstream.url,
    KEYD_HEALTH_LISTEN: health,
    KEYD_METRICS_LISTEN: metrics,
    KEYD_WORKERS: String(options.workers),
    ...options.env,
  };
  const victim = serviceProcess(t, 'edge-verifier', { ...env, ...confinement(env, options.confinedFor) }, file);
  victim.start();
  const log = (): string => readFileSync(path, 'utf8');
  const readStatus = async (): Promise<EdgeStatus> =>
    status.parse(await (await fetch(`http://${health}/status`)).json());
  if (options.isWaited !== false) {
    await until(async () => {
      if (victim.child?.exitCode !== null) throw new Error(`the edge has ended: ${log()}`);
      return readStatus().then(
        ({ ready, feed: { version } }) => ready && version === feed.newest?.version,
        () => false,
      );
    });
  }
  return {
    ...{ victim, stateFolder, env, proxy, forwardAuth, log },
    status: readStatus,
    async metric(name) {
      const text = await (await fetch(`http://${metrics}/metrics`)).text();
      const line = text.split('\n').find((each) => each.startsWith(`${name} `));
      return line === undefined ? Number.NaN : Number(line.slice(name.length + 1));
    },
    send: (message, sending) => send(proxy, message, sending),
    async pids() {
      const { workers } = await readStatus();
      return workers.flatMap(({ pid, servingSince }) => (servingSince === undefined ? [] : [pid]));
    },
  };
}
