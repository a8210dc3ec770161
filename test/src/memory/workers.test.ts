import { fileURLToPath } from 'node:url';
import { addDays, scopeDateOf } from '@sigv4-keyd/sigv4-core';
import t from 'tap';
import { presigned, signed, type Message } from '../edge-verifier/client.js';
import type { SoughtKey } from '../support/key-search.js';
import { until } from '../support/victim.js';
import { startAbove, startEdge } from '../workers/edge-of-workers.js';
import { REGION, SERVICE } from '../workers/watched-region.js';
import { inMemoryOf, left, ownersIn, written, type Searched } from './found-in-memory.js';
import { kDatesOf, kRegionsOf, kServicesOf, kSigningsOf, secretsOf, type Climbed } from './ladder.js';
import { canReadMemoryOf } from './process-memory.js';

// A whole edge, as processes.
t.setTimeout(150_000);

const KEPT = 'AKIAWORKERMEMORYKEPT';
const REVOKED = 'AKIAWORKERMEMORYREVO';
const DELETED = 'AKIAWORKERMEMORYDELE';
const IDS = [KEPT, REVOKED, DELETED];
const secretOf = (accessKeyId: string): string => `a-made-up-secret-of-${accessKeyId}`;

function messagesOf(accessKeyId: string): readonly Message[] {
  const draft = { accessKeyId, secret: secretOf(accessKeyId), now: Date.now() };
  return [signed(draft), signed({ ...draft, method: 'PUT', body: 'a body' }), presigned(draft)];
}

t.test(
  'a worker holds kSigning in use, nothing above it, and nothing of what was revoked, deleted or is over',
  async (t) => {
    const above = await startAbove(t);
    const { feed, region } = above;
    for (const id of IDS) region.parent.secrets.set(id, secretOf(id));
    const preloaded = fileURLToPath(new URL('on-signal.js', import.meta.url));
    const edge = await startEdge(t, above, { workers: 2, env: { NODE_OPTIONS: `--import ${preloaded}` } });
    const edgePid = (): number => edge.victim.child?.pid ?? 0;
    const pids = await edge.pids();
    t.equal(pids.length, 2);
    if (!pids.every(canReadMemoryOf)) {
      t.comment('THE MEMORY OF OTHER PROCESSES CANNOT BE READ HERE: it was not searched');
      return;
    }
    // A scrape asks every worker what it has counted.
    const status = (): Promise<unknown> => edge.metric('keyd_feed_version');
    const workers = pids.map((pid): Searched => ({ pid: () => pid, status, watcher: edgePid }));
    const served = async (id: string): Promise<void> => {
      // Connections are given to the two workers by turns.
      const messages = messagesOf(id);
      for (const message of [...messages, ...messages]) t.equal((await edge.send(message)).status, 200);
    };
    for (const id of IDS) await served(id);

    const today = scopeDateOf(Date.now());
    const dates = [-1, 0, 1].map((days) => addDays(today, days));
    const all = (rung: (of: Climbed) => readonly SoughtKey[]): readonly SoughtKey[] =>
      IDS.flatMap((accessKeyId) => rung({ accessKeyId, secretAccessKey: secretOf(accessKeyId), dates }));
    const ofService = all((each) => kServicesOf(each, REGION, SERVICE));
    const ofSigning = all((each) => kSigningsOf(each, REGION, SERVICE));
    const upper = [...all(secretsOf), ...all(kDatesOf), ...all((each) => kRegionsOf(each, REGION))];
    const aboveWorker = [...upper, ...ofService];
    for (const worker of workers) {
      const found = inMemoryOf(worker, [...aboveWorker, ...ofSigning]);
      t.same(written(found, aboveWorker), [], 'no secret, kDate, kRegion or kService');
      t.same(ownersIn(written(found, ofSigning), IDS), IDS, 'kSigning of each access key was found');
    }
    const inEdge = inMemoryOf({ pid: edgePid }, aboveWorker);
    t.same(written(inEdge, upper), [], "the edge's own process: no secret, kDate or kRegion");
    t.same(
      ownersIn(written(inEdge, ofService), IDS),
      IDS,
      'and kService, which the workers lack, was found by the same search',
    );

    await feed.revoke({ accessKeyId: REVOKED, from: today, to: addDays(today, 1) });
    await feed.change({ accessKeyId: DELETED, status: 'deleted', secretVersion: 1 });
    await until(() => region.saidInForce === feed.newest?.version);
    await served(KEPT);
    for (const worker of workers) {
      const found = await left(worker, ofSigning, [KEPT]);
      t.same(ownersIn(found, IDS), [KEPT], 'of what was revoked or deleted nothing is left; what is in use is there');
    }

    for (const pid of pids) process.kill(pid, 'SIGWINCH');
    await until(async () => (await edge.status()).workers.every(({ keysHeld }) => keysHeld === 0));
    for (const worker of workers)
      t.same(await left(worker, ofSigning), [], 'when the window has passed, nothing at all');
    t.same(await edge.pids(), pids, 'these were the workers all the time');
  },
);
