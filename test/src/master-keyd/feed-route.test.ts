import { createMtlsAgent } from '@sigv4-keyd/fastify-mtls';
import { PeerClient, type Cancel, type Clock } from '@sigv4-keyd/hop-protocol';
import {
  createLogger,
  createMtlsApp,
  feedRoute,
  type FeedBoard,
  type MtlsApp,
  type ServedFeed,
} from '@sigv4-keyd/service-skeleton';
import { once } from 'node:events';
import { setImmediate as otherWork } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { z } from 'zod';
import { TestAuthority, TRUST_DOMAIN } from '../support/certificates.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { feed } from './feed-clients.js';
import { STANDING_TIMER } from '../support/standing-timer.js';

const SET = 'a'.repeat(64);

/** A board whose documents a test pins up: the bytes need not be signed, as the route looks at none of them. */
class SmallBoard implements FeedBoard {
  newest: ServedFeed | undefined;
  readonly #listeners = new Set<() => void>();

  get listeners(): number {
    return this.#listeners.size;
  }

  onNews(listener: () => void): Cancel {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  pin(version: number): void {
    this.newest = { version, setHash: SET, beacon: `beacon-${version}`, statements: ['one', 'two'] };
    for (const listener of this.#listeners) listener();
  }
}

/** Tells how many wait: each has one alarm. */
class CountingClock implements Clock {
  readonly #clock = new VirtualClock('2026-11-22T12:00:00Z');
  waiting = 0;

  now(): number {
    return this.#clock.now();
  }

  after(ms: number, task: () => void): Cancel {
    this.waiting += 1;
    let isOver = false;
    const over = (): void => {
      if (!isOver) this.waiting -= 1;
      isOver = true;
    };
    const cancel = this.#clock.after(ms, () => {
      over();
      task();
    });
    return () => {
      over();
      cancel();
    };
  }

  advance(ms: number): Promise<void> {
    return this.#clock.advance(ms);
  }

  async untilWaiting(count: number): Promise<void> {
    while (this.waiting !== count) await otherWork();
  }
}

interface Fixture {
  readonly app: MtlsApp;
  readonly board: SmallBoard;
  readonly clock: CountingClock;
  readonly client: (name: string) => Promise<PeerClient>;
}

async function setUp(t: Test, mostWaiting?: number): Promise<Fixture> {
  const authority = await TestAuthority.create(t.testdir());
  const credentials = await authority.credentials({ role: 'master', name: 'm1' });
  const log = createLogger({ service: 'feed-route', level: 'fatal' });
  const app = await createMtlsApp({ credentials, trustDomain: TRUST_DOMAIN, log });
  const board = new SmallBoard();
  const clock = new CountingClock();
  feedRoute(app, { board, clock, roles: ['region'], ...(mostWaiting !== undefined && { mostWaiting }) });
  const url = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
  t.teardown(() => app.close());
  return {
    app,
    board,
    clock,
    async client(name) {
      const own = await authority.credentials({ role: 'region', region: 'us-east-1', name });
      const dispatcher = createMtlsAgent({ credentials: own, timer: STANDING_TIMER, acceptsServer: () => true });
      t.teardown(() => dispatcher.destroy());
      return new PeerClient({ urls: [url], dispatcher, timer: STANDING_TIMER });
    },
  };
}

t.test('a wait ends with news, with its time, or at once', async (t) => {
  const { board, clock, client } = await setUp(t);
  const region = await client('r1');
  t.equal(await feed(region), undefined, 'nothing there, and no wait');
  const first = feed(region, '?wait=20');
  await clock.untilWaiting(1);
  board.pin(7);
  t.same(await first, { beacon: 'beacon-7', statements: ['one', 'two'] });
  t.equal(clock.waiting, 0, 'and its alarm is gone');
  t.match(await feed(region, '?version=6&wait=20'), { beacon: 'beacon-7' }, 'what is news already is not waited for');
  t.match(await feed(region, '?version=7'), { beacon: 'beacon-7' }, 'without a wait, the present state, new or not');
  t.same(await feed(region, `?set=${SET}`), { beacon: 'beacon-7' });
  t.match(await feed(region, `?set=${'b'.repeat(64)}`), { statements: ['one', 'two'] });

  const queries = ['?version=7&wait=20', '?version=7&wait=5', '?version=9&wait=20'];
  const waits = queries.map((query) => feed(region, query));
  await clock.untilWaiting(3);
  await clock.advance(4_999);
  t.equal(clock.waiting, 3);
  await clock.advance(1);
  t.equal(await waits[1], undefined, '204 when its time is over, and not before');
  board.pin(8);
  t.match(await waits[0], { beacon: 'beacon-8' });
  t.equal(await waits[2], undefined, 'what is older than the asker holds is no news');
});

t.test('all who wait are woken at once', async (t) => {
  const { board, clock, client } = await setUp(t);
  const regions = await Promise.all(Array.from({ length: 20 }, (_, n) => client(`r${n}`)));
  board.pin(1);
  const waits = regions.map((region) => feed(region, `?version=1&wait=20&set=${SET}`));
  await clock.untilWaiting(20);
  board.pin(2);
  t.same(
    await Promise.all(waits),
    Array.from({ length: 20 }, () => ({ beacon: 'beacon-2' })),
  );
  t.equal(clock.waiting, 0);
});

t.test('how many may wait is bounded, for all and for one', async (t) => {
  const { board, clock, client } = await setUp(t, 10);
  const [one, other] = [await client('r1'), await client('r2')];
  board.pin(1);
  const query = '?version=1&wait=20';
  const eight = Array.from({ length: 8 }, () => feed(one, query));
  await clock.untilWaiting(8);
  await t.rejects(feed(one, query), { code: 'too-many-requests' }, 'one identity has enough');
  t.match(await feed(one), { beacon: 'beacon-1' }, 'and is answered without a wait');
  const two = [feed(other, query), feed(other, query)];
  await clock.untilWaiting(10);
  await t.rejects(feed(other, query), { code: 'too-many-requests' }, 'there is no more room');
  board.pin(2);
  await Promise.all([...eight, ...two]);
  const again = feed(one, '?version=2&wait=20');
  await clock.untilWaiting(1);
  board.pin(3);
  t.match(await again, { beacon: 'beacon-3' }, 'places are given back');
});

t.test('whoever leaves gives the place back; a stop ends every wait', async (t) => {
  const { app, board, clock, client } = await setUp(t);
  board.pin(1);
  const region = await client('r1');
  const patience = new AbortController();
  const path = '/v1/feed?version=1&wait=25';
  const left = region.call({ method: 'GET', path, answer: z.unknown(), signal: patience.signal });
  await clock.untilWaiting(1);
  patience.abort();
  await t.rejects(left);
  await clock.untilWaiting(0);
  const waiting = feed(region, '?version=1&wait=25');
  await clock.untilWaiting(1);
  const closed = once(app.server, 'close');
  const closing = app.close();
  await t.rejects(waiting, { code: 'not-ready' });
  await Promise.all([closing, closed]);
  t.equal(board.listeners, 0);
  t.equal(clock.waiting, 0);
});
