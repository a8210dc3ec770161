import {
  DAY_STREAM_TYPE,
  dayStreamPath,
  dayStreamRequest,
  PeerStreams,
  REGION_KEYS,
  type DayStreamRequest,
  type StreamedKey,
} from '@sigv4-keyd/hop-protocol';
import { createLogger, createMtlsApp, DayStreams } from '@sigv4-keyd/service-skeleton';
import t, { type Test } from 'tap';
import { TestAuthority, TRUST_DOMAIN } from '../support/certificates.js';
import { day } from '../support/days.js';
import { until } from '../support/victim.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { agentOf } from './streaming-peers.js';

t.setTimeout(120_000);

const REQUEST: DayStreamRequest = { date: day('20261122'), which: 'all' };

/** A listener that streams keys without end, and counts how many pages it was asked for. */
async function endless(t: Test) {
  const authority = await TestAuthority.create(t.testdir());
  const clock = new VirtualClock('2026-11-22T12:00:00Z');
  const log = createLogger({ service: 'endless', level: 'silent' });
  const credentials = await authority.credentials({ role: 'master', name: 'm1' });
  const app = await createMtlsApp({ credentials, trustDomain: TRUST_DOMAIN, log });
  const streams = new DayStreams(app, clock);
  const made = { pages: 0, under: 0, afterEach: (): Promise<unknown> => Promise.resolve() };
  const key = new Uint8Array(32);
  async function* pages(): AsyncGenerator<readonly StreamedKey[]> {
    made.under += 1;
    try {
      for (;;) {
        const from = made.pages * 5_000;
        made.pages += 1;
        yield Array.from({ length: 5_000 }, (_, n) => ({
          facts: { accessKeyId: `AKIA${String(from + n).padStart(12, '0')}`, version: 1, createdAt: 0 },
          key,
        }));
        await made.afterEach();
      }
    } finally {
      made.under -= 1;
    }
  }
  app.post(
    dayStreamPath(REGION_KEYS),
    { config: { mtls: { roles: ['region'] } }, schema: { body: dayStreamRequest } },
    ({ body }, reply) =>
      streams.send(reply, REGION_KEYS, { request: body, scope: { region: 'us-east-1' }, pages: pages() }),
  );
  const url = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
  t.teardown(() => app.close());
  const open = async (name = 'r1'): Promise<AsyncIterator<Buffer>> => {
    const dispatcher = await agentOf(t, authority, { role: 'region', region: 'us-east-1', name });
    const streams = new PeerStreams({ urls: [url], dispatcher });
    const chunks = streams.read({
      path: dayStreamPath(REGION_KEYS),
      body: REQUEST,
      accept: DAY_STREAM_TYPE,
      read: (body) => body,
    });
    await chunks.next();
    return chunks;
  };
  return { app, clock, made, open };
}

/** Reads to whatever the end is. */
async function drained(body: AsyncIterator<Buffer>): Promise<unknown> {
  try {
    for (let next = await body.next(); next.done !== true; next = await body.next());
    return undefined;
  } catch (error) {
    return error;
  }
}

t.test('a reader that stops taking stops the making, and is cut off after a while', async (t) => {
  const { clock, made, open } = await endless(t);
  const body = await open();
  // What is under way fits into the buffers of two sockets; then nothing moves any more.
  let before = -1;
  await until(async () => {
    if (made.pages === before) return true;
    before = made.pages;
    for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
    return false;
  });
  t.ok(made.pages < 100, `${made.pages} pages, of 300 kB each, were made for a reader that takes nothing`);
  t.equal(made.under, 1);
  await clock.advance(29_999);
  t.equal(made.under, 1, 'a pause is no stall');
  await clock.advance(1);
  await until(() => made.under === 0);
  t.ok((await drained(body)) instanceof Error, 'the reader sees that the stream was cut');
});

t.test('a reader that goes on taking is not cut off, however long it takes', async (t) => {
  const { clock, made, open } = await endless(t);
  const body = await open();
  for (let read = 0, times = 0; times < 5; times += 1) {
    const enough = read + 10_000_000;
    while (read < enough) {
      const next = await body.next();
      if (next.done === true) throw new Error('it has ended');
      read += next.value.length;
    }
    await clock.advance(20_000);
  }
  t.equal(made.under, 1);
});

t.test('one that goes away is no longer served', async (t) => {
  const { made, open } = await endless(t);
  const body = await open();
  await body.return?.();
  await until(() => made.under === 0);
  t.pass('let go of');
});

t.test('a peer has few streams at a time, and others have theirs', async (t) => {
  const { made, open } = await endless(t);
  const bodies = await Promise.all([open(), open(), open(), open()]);
  await t.rejects(open(), { code: 'too-many-requests', detail: /4 streams/ });
  await open('r2');
  t.equal(made.under, 5);
  await bodies[0].return?.();
  await until(() => made.under === 4);
  await t.resolves(open(), 'one that ends makes room');
});

t.test('a listener that closes ends its streams between two pages', async (t) => {
  const { app, made, open } = await endless(t);
  const body = await open();
  const [failure] = await Promise.all([drained(body), app.close()]);
  t.ok(failure instanceof Error, 'cut, which its reader can tell');
  t.equal(made.under, 0);
});
