import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { FeedInForce, type SharedKeys } from '@sigv4-keyd/edge-keys';
import { RefusalTurns, SharedTurns, WorkerProcess, type StartedWorker } from '@sigv4-keyd/edge-verifier';
import type { Beacon, FeedDocument, FeedListener } from '@sigv4-keyd/hop-protocol';
import { FeedState } from '@sigv4-keyd/revocation';
import { createLogger } from '@sigv4-keyd/service-skeleton';
import t, { type Test } from 'tap';
import { RULE } from '../revocation/publisher.js';
import { TestFeed } from '../support/test-feed.js';
import { until } from '../support/victim.js';
import { VirtualClock } from '../support/virtual-clock.js';

t.setTimeout(90_000);

const NOW = Date.parse('2026-11-22T10:00:00Z');

/** What a follower believes and tells, as the test lets it. */
class HandFedFeed {
  readonly listeners = new Set<FeedListener>();
  readonly state: FeedState;
  readonly feed: TestFeed;

  private constructor(feed: TestFeed) {
    this.feed = feed;
    this.state = FeedState.empty(feed.keys.pinned, RULE);
  }

  static async create(): Promise<HandFedFeed> {
    const fed = new HandFedFeed(await TestFeed.create(new VirtualClock(NOW)));
    await fed.publish();
    return fed;
  }

  async publish(): Promise<Beacon> {
    await this.state.accept(await this.feed.publish(), NOW);
    const { beacon } = this.state;
    if (!beacon) throw new Error('no beacon was accepted');
    for (const { onBeacon } of this.listeners) onBeacon?.(beacon);
    return beacon;
  }

  subscribe(listener: FeedListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

const none = { lend: () => Promise.resolve('unknown' as const), onChanged: () => () => undefined };

async function startWorker(t: Test, manner: string) {
  const fed = await HandFedFeed.create();
  const inForce = new FeedInForce(fed);
  inForce.follow(fed);
  const news = new Set<(document: FeedDocument) => void>();
  fed.subscribe({ onBeacon: () => [...news].forEach((tell) => tell(fed.state.document ?? { beacon: '' })) });
  const shared: SharedKeys = {
    rungs: { 'AWS4-HMAC-SHA256': none, 'AWS4-ECDSA-P256-SHA256': none },
    feed: {
      version: 1,
      serialise: () => fed.state.serialise(),
      onNews(listener) {
        news.add(listener);
        return () => news.delete(listener);
      },
      join: () => inForce.join(),
    },
    count: () => undefined,
  };
  const child = fork(fileURLToPath(new URL('silent-worker.js', import.meta.url)), [manner]);
  t.teardown(() => child.kill('SIGKILL'));
  const worker: StartedWorker = { process: child, isConnected: () => child.connected, on: child.on.bind(child) };
  const log: string[] = [];
  const started = new WorkerProcess({
    ...{ worker, shared, environment: {}, clock: new VirtualClock(NOW) },
    own: { role: 'edge', trustDomain: 'keyd.example', region: 'eu-west-1', service: 's3', name: 'e1' },
    turns: { take: () => true },
    onHandedIn: () => undefined,
    log: createLogger({ service: 'test', level: 'info', destination: { write: (line: string) => log.push(line) } }),
  });
  await started.serving;
  return { fed, inForce, started, log };
}

t.test('what a worker does not confirm is not in force, and one that never answers is ended', async (t) => {
  const { fed, inForce, started, log } = await startWorker(t, 'silent');
  t.equal(inForce.beacon?.version, 1);
  await fed.publish();
  await fed.publish();
  for (let beats = 0; beats <= 10; beats += 1) started.beat();
  await fed.publish();
  t.equal(inForce.beacon?.version, 1, 'the worker judges by an older one, for all that is known');
  t.ok(started.isServing, 'for ten beats it is waited for');
  started.beat();
  t.equal(await started.ended, 'SIGKILL');
  t.match(log.join(''), 'it does not answer');
  t.equal(inForce.beacon?.version, 4, 'nobody judges by an older one any more');
  t.notOk(started.isServing);
});

t.test('a worker that owes nothing lives, however long nothing happens', async (t) => {
  const { started } = await startWorker(t, 'silent');
  for (let beats = 0; beats <= 1_000; beats += 1) started.beat();
  t.ok(started.isServing);
});

t.test('a worker that says what it may not is ended', async (t) => {
  for (const manner of ['garbage', 'unasked', 'made-up']) {
    const { fed, started, log } = await startWorker(t, manner);
    await fed.publish();
    t.equal(await started.ended, 'SIGKILL', manner);
    t.match(log.join(''), 'worker-killed');
    await until(() => !started.isServing);
  }
});

t.test('workers share the turns of one edge', async (t) => {
  const clock = new VirtualClock(NOW);
  const turns = new RefusalTurns({ perSecond: 2, clock });
  let asked = 0;
  const worker = (): SharedTurns =>
    new SharedTurns((refusals) => {
      asked += 1;
      return Promise.resolve(Array.from({ length: refusals }, () => turns.take()).filter(Boolean).length);
    });
  const two = [worker(), worker()];
  const answers = await Promise.all(two.flatMap((each) => Array.from({ length: 30 }, () => each.take())));
  t.equal(answers.filter(Boolean).length, 20, 'ten times as many in a burst, of both together');
  t.equal(asked, 4, 'those that come meanwhile are asked for together');
  await clock.advance(3_000);
  const later = await Promise.all(two.flatMap((each) => Array.from({ length: 30 }, () => each.take())));
  t.equal(later.filter(Boolean).length, 6);
  const alone = new SharedTurns(() => Promise.reject(new Error('the edge is gone')));
  t.equal(await alone.take(), true, 'nobody waits for an edge that is gone');
});
