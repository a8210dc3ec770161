import { readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { feedGuard } from '@sigv4-keyd/edge-keys';
import {
  FEED_BEAT_MS,
  FeedFollower,
  httpsFeedSource,
  type EdgeIdentity,
  type FeedSource,
  type FeedStorage,
  type HeldFeed,
} from '@sigv4-keyd/hop-protocol';
import type { FeedDocument } from '@sigv4-keyd/revocation';
import * as fc from 'fast-check';
import t, { type Test } from 'tap';
import { Agent } from 'undici';
import { RULE } from '../revocation/publisher.js';
import { TestAuthority } from '../support/certificates.js';
import { day } from '../support/days.js';
import { TestFeed } from '../support/test-feed.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { until } from './feed-tiers.js';

t.setTimeout(120_000);

const START = Date.parse('2026-11-22T10:00:00Z');
const TODAY = day('20261122');
const OWN: EdgeIdentity = { role: 'edge', trustDomain: 'keyd.test', region: 'eu-west-1', service: 's3', name: 'e1' };
const HORIZONS = { softSeconds: 20, hardSeconds: 60 };

/** Keeps the last text; can refuse to. */
class MemoryStorage implements FeedStorage {
  text: string | undefined;
  isFull = false;
  saves = 0;

  load(): Promise<string | undefined> {
    return Promise.resolve(this.text);
  }

  save(text: string): Promise<void> {
    if (this.isFull) return Promise.reject(new Error('no space left'));
    this.saves += 1;
    this.text = text;
    return Promise.resolve();
  }

  setAside(): Promise<string> {
    this.text = undefined;
    return Promise.resolve('aside');
  }
}

interface LogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly event?: string;
  readonly code?: string;
}

class RecordingLog {
  readonly lines: LogLine[] = [];
  info = (line: object): void => void this.lines.push({ ...line, level: 'info' });
  warn = (line: object): void => void this.lines.push({ ...line, level: 'warn' });
  error = (line: object): void => void this.lines.push({ ...line, level: 'error' });
}

const BEHAVIOURS = ['honest', 'beat-only', 'old', 'mixed', 'lost', 'hung', 'late', 'silent'] as const;
type Behaviour = (typeof BEHAVIOURS)[number];

/** A source over a network that loses, delays, doubles and mixes; what it answers was all published at some time. */
class UnreliableSource implements FeedSource {
  readonly waits = true;
  behaviour: Behaviour = 'honest';
  delivered = 0;
  readonly name: string;
  readonly #world: { readonly clock: VirtualClock; readonly published: readonly FeedDocument[] };
  readonly #waiting = new Set<() => void>();

  constructor(name: string, world: { readonly clock: VirtualClock; readonly published: readonly FeedDocument[] }) {
    this.name = name;
    this.#world = world;
  }

  async fetch({ version }: HeldFeed, waitSeconds: number, signal: AbortSignal): Promise<FeedDocument | undefined> {
    const { behaviour } = this;
    const { published } = this.#world;
    if (behaviour === 'lost') throw new Error('connection reset');
    if (behaviour === 'hung' || (behaviour === 'beat-only' && waitSeconds > 0)) await this.#pause(signal, Infinity);
    if (waitSeconds > 0 && (behaviour === 'silent' || published.length <= version)) {
      await this.#pause(signal, waitSeconds * 1000);
      if (behaviour === 'silent' || published.length <= version) return undefined;
    }
    if (behaviour === 'silent') return undefined;
    // What is late was the newest when it was sent.
    const answer = this.#answer(behaviour);
    if (behaviour === 'late') await this.#pause(signal, 7_000);
    if (answer !== undefined) this.delivered += 1;
    return answer;
  }

  /** There is something new: whoever waits is answered. */
  wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  #answer(behaviour: Behaviour): FeedDocument | undefined {
    const { published } = this.#world;
    const newest = published.at(-1);
    const older = published[Math.floor(published.length / 2)];
    if (behaviour === 'old') return older;
    if (behaviour !== 'mixed' || newest === undefined || older?.statements === undefined) return newest;
    return { beacon: newest.beacon, statements: [...older.statements, ...older.statements].toReversed() };
  }

  #pause(signal: AbortSignal, ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = ms === Infinity ? () => undefined : this.#world.clock.after(ms, () => wake());
      const wake = (): void => {
        this.#waiting.delete(wake);
        cancel();
        resolve();
      };
      if (ms !== Infinity) this.#waiting.add(wake);
      signal.addEventListener('abort', () => {
        this.#waiting.delete(wake);
        cancel();
        reject(new Error('aborted'));
      });
    });
  }
}

type Step =
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'revoke'; readonly accessKey: number }
  | { readonly do: 'publish' | 'restart' }
  | { readonly do: 'behave'; readonly source: number; readonly behaviour: Behaviour };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 400, 2_000, 5_000, 12_000, 61_000) }),
    fc.record({ do: fc.constant('revoke' as const), accessKey: fc.nat(4) }),
    fc.record({ do: fc.constantFrom('publish' as const, 'publish' as const, 'restart' as const) }),
    fc.record({ do: fc.constant('behave' as const), source: fc.nat(1), behaviour: fc.constantFrom(...BEHAVIOURS) }),
  ),
  { minLength: 8, maxLength: 30 },
);

const LARGEST_STEP_MS = 1_000;
const TWO_BEATS_MS = 2 * FEED_BEAT_MS;

/** A publisher, two unreliable sources and one edge's follower, on one clock. */
class World {
  readonly clock = new VirtualClock(START);
  readonly published: (FeedDocument & { readonly statements: readonly string[] })[] = [];
  readonly sources = [new UnreliableSource('a', this), new UnreliableSource('b', this)];
  readonly storage = new MemoryStorage();
  readonly log = new RecordingLog();
  readonly #feed: TestFeed;
  readonly #random: () => number;
  readonly #publishedAt = new Map<string, number>();
  readonly #refusedOnce = new Set<string>();
  #honestSince: number | undefined = START;
  #follower: FeedFollower | undefined;
  readonly met = { denied: 0, served: 0, stale: 0, inTwoBeats: 0 };

  private constructor(feed: TestFeed, random: () => number) {
    this.#feed = feed;
    this.#random = random;
  }

  static async start(keys: TestFeed['keys'], jitter: readonly number[]): Promise<World> {
    let next = 0;
    const now = (): number => world.clock.now();
    const world: World = new World(TestFeed.with(keys, { now }), () => jitter[next++ % jitter.length] ?? 0);
    await world.publish();
    await world.restart();
    return world;
  }

  get follower(): FeedFollower {
    if (this.#follower === undefined) throw new Error('not started');
    return this.#follower;
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'wait':
        for (let left = step.ms; left > 0; left -= LARGEST_STEP_MS) await this.advance(Math.min(left, LARGEST_STEP_MS));
        return;
      case 'revoke': {
        const accessKeyId = `AKIAKEY${step.accessKey}`;
        await this.#feed.publisher.revoke({ from: TODAY, to: TODAY, accessKeyId });
        await this.publish();
        if (!this.#publishedAt.has(accessKeyId)) this.#publishedAt.set(accessKeyId, this.clock.now());
        return this.settle();
      }
      case 'publish':
        await this.publish();
        return this.settle();
      case 'restart':
        return this.restart();
      case 'behave': {
        const source = this.sources[step.source]!;
        source.behaviour = step.behaviour;
        const isAnyHonest = this.sources.some(({ behaviour }) => behaviour === 'honest' || behaviour === 'beat-only');
        this.#honestSince = isAnyHonest ? (this.#honestSince ?? this.clock.now()) : undefined;
        return;
      }
    }
  }

  async publish(): Promise<void> {
    await this.clock.advance(1);
    this.published.push(await this.#feed.document());
    for (const source of this.sources) source.wake();
  }

  async restart(): Promise<void> {
    await this.#follower?.close();
    for (const source of this.sources) source.delivered = 0;
    const { clock, log, sources, storage } = this;
    const { pinned } = this.#feed.keys;
    const options = { sources, keys: pinned, rule: RULE, storage, clock, log, random: this.#random };
    this.#follower = await FeedFollower.open(options);
    this.#follower.start();
    // Whoever starts anew begins with its own beat.
    if (this.#honestSince !== undefined) this.#honestSince = this.clock.now();
    await this.settle();
  }

  async advance(ms: number): Promise<void> {
    await this.clock.advance(ms);
    await this.settle();
  }

  /** Until all that was delivered has been judged. */
  async settle(): Promise<void> {
    await until(() =>
      this.follower.status.sources.every(({ accepted, refused }, index) => {
        return accepted + refused >= this.sources[index]!.delivered;
      }),
    );
    await new Promise(setImmediate);
    this.check();
  }

  check(): void {
    const now = this.clock.now();
    const guard = feedGuard(this.follower, OWN, { horizons: HORIZONS, clock: this.clock });
    for (let key = 0; key < 5; key += 1) {
      const accessKeyId = `AKIAKEY${key}`;
      const facts = { accessKeyId, version: 1, createdAt: 0 };
      const objection = guard.objectionTo({ accessKeyId, date: TODAY, facts, session: undefined });
      const publishedAt = this.#publishedAt.get(accessKeyId);
      if (objection === 'feed-stale') this.met.stale += 1;
      if (objection === undefined) this.met.served += 1;
      if (publishedAt === undefined) {
        if (objection === 'scope-revoked') throw new Error(`${accessKeyId} was never revoked`);
        continue;
      }
      if (objection !== undefined) this.met.denied += 1;
      if (objection === undefined && now > publishedAt + HORIZONS.hardSeconds * 1000) {
        throw new Error(`${accessKeyId} is served later than publication and hard horizon`);
      }
      const pathSince = Math.max(publishedAt, this.#honestSince ?? Infinity);
      if (now >= pathSince + TWO_BEATS_MS) {
        if (objection === undefined) throw new Error(`${accessKeyId} is served after two beats of a working path`);
        this.met.inTwoBeats += 1;
      }
      if (objection === 'scope-revoked') this.#refusedOnce.add(accessKeyId);
      else if (this.#refusedOnce.has(accessKeyId)) throw new Error(`${accessKeyId} was un-revoked`);
    }
  }

  async stop(): Promise<void> {
    await this.#follower?.close();
  }
}

t.test('whatever is lost, late, doubled, mixed or replayed: the horizon and the two beats hold', async (t) => {
  const { keys } = await TestFeed.create(new VirtualClock(START));
  const met = { denied: 0, served: 0, stale: 0, inTwoBeats: 0 };
  const jitter = fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 3, maxLength: 9 });
  const property = fc.asyncProperty(steps, jitter, async (plan, random) => {
    const world = await World.start(keys, random);
    try {
      for (const step of plan) await world.take(step);
    } finally {
      await world.stop();
    }
    for (const what of ['denied', 'served', 'stale', 'inTwoBeats'] as const) met[what] += world.met[what];
  });
  await t.resolves(fc.assert(property, { numRuns: 60 }));
  for (const [what, times] of Object.entries(met)) t.ok(times > 50, `${what} was met ${times} times`);
});

/** A follower of sources that a test makes up. */
async function follow(t: Test, sources: (feed: TestFeed) => readonly FeedSource[], storage = new MemoryStorage()) {
  const clock = new VirtualClock(START);
  const feed = await TestFeed.create(clock);
  const log = new RecordingLog();
  const { pinned: keys } = feed.keys;
  const options = { sources: sources(feed), keys, rule: RULE, storage, clock, log, random: () => 0.5 };
  const follower = await FeedFollower.open(options);
  t.teardown(() => follower.close());
  return { clock, feed, log, storage, follower };
}

t.test('a source that answers at once, again and again, is not asked in a loop', async (t) => {
  let asked = 0;
  const { clock, follower, feed } = await follow(t, (feed) => [
    {
      name: 'hasty',
      waits: true,
      fetch: async () => {
        asked += 1;
        return Promise.resolve(feed.newest && { beacon: feed.newest.beacon, statements: feed.newest.statements });
      },
    },
  ]);
  await feed.publish();
  follower.start();
  const judged = (): number => follower.status.sources[0]?.accepted ?? 0;
  await until(() => judged() >= 2 && judged() === asked);
  const before = asked;
  for (let turn = 0; turn < 200; turn += 1) await new Promise(setImmediate);
  t.equal(asked, before, 'while no time passes, nothing is asked');
  for (let beat = 0; beat < 12; beat += 1) {
    const soFar = judged();
    await clock.advance(FEED_BEAT_MS);
    // All that was asked is judged, so that the next beat is not left out.
    await until(() => judged() > soFar && judged() === asked);
  }
  t.ok(asked - before >= 12, 'the beat goes on');
  t.ok(asked - before < 12 + 60 * 4 + 1, `${asked - before} requests in a minute`);
});

t.test('a request that hangs does not hold up the beat; a set that did not fit is asked for whole', async (t) => {
  const asked: HeldFeed[] = [];
  const answers: ((held: HeldFeed, signal: AbortSignal) => Promise<FeedDocument | undefined>)[] = [];
  const source: FeedSource = {
    name: 's',
    waits: false,
    fetch: (held, _wait, signal) => {
      asked.push(held);
      return answers.shift()?.(held, signal) ?? Promise.resolve(undefined);
    },
  };
  const { clock, feed, follower } = await follow(t, () => [source]);
  const aborted: number[] = [];
  answers.push(() => Promise.resolve(undefined));
  answers.push((_held, signal) => {
    return new Promise((_resolve, reject) =>
      signal.addEventListener('abort', () => {
        aborted.push(clock.now());
        reject(new Error('aborted'));
      }),
    );
  });
  const first = await feed.document();
  answers.push(() => Promise.resolve(first));
  follower.start();
  await clock.advance(2 * FEED_BEAT_MS);
  await until(() => follower.status.version === 1);
  t.equal(asked.length, 3);
  await clock.advance(FEED_BEAT_MS);
  t.same(aborted, [START + 3 * FEED_BEAT_MS], 'what hangs ends after two beats');

  await feed.publisher.revoke({ from: TODAY, to: TODAY });
  const second = await feed.document();
  answers.push(() => Promise.resolve({ beacon: second.beacon }));
  await clock.advance(FEED_BEAT_MS);
  await until(() => follower.status.sources[0]?.refused === 1);
  answers.push(() => Promise.resolve(second));
  await clock.advance(FEED_BEAT_MS);
  await until(() => follower.status.version === 2);
  await clock.advance(FEED_BEAT_MS);
  const sets = asked.map(({ setHash }) => setHash !== undefined);
  t.same(sets, [false, false, false, true, true, false, true]);
});

t.test('a state that cannot be saved is believed all the same, told once, and saved when it can be', async (t) => {
  const storage = new MemoryStorage();
  storage.isFull = true;
  const source: FeedSource = { name: 's', waits: false, fetch: () => Promise.resolve(undefined) };
  let document: FeedDocument | undefined;
  const sources = [{ ...source, fetch: () => Promise.resolve(document) }];
  const { clock, feed, follower, log } = await follow(t, () => sources, storage);
  await feed.publisher.revoke({ from: TODAY, to: TODAY });
  document = await feed.document();
  follower.start();
  await until(() => follower.status.isUnsaved);
  t.equal(follower.status.statements, 1);
  for (let beat = 0; beat < 6; beat += 1) await clock.advance(FEED_BEAT_MS);
  t.equal(log.lines.filter(({ event }) => event === 'feed-state-unsaved').length, 1);
  storage.isFull = false;
  await clock.advance(10_000);
  await until(() => !follower.status.isUnsaved);
  t.ok(storage.text?.includes(document.beacon));
  t.equal(log.lines.filter(({ event }) => event === 'feed-state-saved').length, 1);

  const { saves } = storage;
  for (let i = 0; i < 5; i += 1) {
    document = await feed.document();
    await clock.advance(FEED_BEAT_MS);
    await until(() => follower.status.version === feed.publisher.version);
  }
  t.ok(storage.saves - saves <= 3, `a newer beacon alone is saved every ten seconds: ${storage.saves - saves} saves`);
});

t.test('what comes while it closes is saved before it has closed, or not at all', async (t) => {
  const storage = new MemoryStorage();
  let answer: (document: FeedDocument) => void = () => undefined;
  const source: FeedSource = {
    name: 's',
    waits: false,
    fetch: () => new Promise((resolve) => (answer = resolve)),
  };
  const { feed, follower, log, clock } = await follow(t, () => [source], storage);
  await feed.publisher.revoke({ from: TODAY, to: TODAY });
  follower.start();
  answer(await feed.document());
  // The answer is there now, and its signatures are being checked.
  await Promise.resolve();
  const closing = follower.close();
  t.equal(follower.status.statements, 0);
  await closing;
  const { saves } = storage;
  t.equal(saves, 1);
  t.equal(follower.status.statements, 1, 'believed and saved');

  const late = await follow(t, () => [source], storage);
  late.follower.start();
  const closed = late.follower.close();
  answer(await feed.document());
  await closed;
  await clock.advance(FEED_BEAT_MS);
  await new Promise(setImmediate);
  t.equal(storage.saves, saves, 'an answer that came too late is not looked at');
  t.same(
    log.lines.filter(({ event }) => event === 'feed-state-unsaved'),
    [],
  );
});

t.test('a document on a web server: TLS checked, bounded, no redirects, not sent again while unchanged', async (t) => {
  const authority = await TestAuthority.create(t.testdir());
  const files = await authority.files('spiffe://keyd.test/web');
  const feed = await TestFeed.create(new VirtualClock(START));
  await feed.publisher.revoke({ from: TODAY, to: TODAY });
  const document = await feed.document();
  let answer: RequestListener = () => undefined;
  const seen: (string | undefined)[] = [];
  const server = createServer({ cert: readFileSync(files.cert), key: readFileSync(files.key) }, (request, response) => {
    seen.push(request.headers['if-none-match']);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const trusting = new Agent({ connect: { ca: readFileSync(files.ca) } });
  const strangers = new Agent();
  t.teardown(async () => {
    await trusting.destroy();
    await strangers.destroy();
    server.close();
  });
  const url = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}/keyd/feed.json`);
  const source = httpsFeedSource(url, { dispatcher: trusting, mostBytes: 100_000 });
  const fetch = (version = 0): Promise<FeedDocument | undefined> =>
    source.fetch({ version, setHash: undefined }, 0, new AbortController().signal);

  answer = (request, response) => {
    if (request.headers['if-none-match'] === '"1"') response.writeHead(304).end();
    else response.writeHead(200, { etag: '"1"' }).end(JSON.stringify(document));
  };
  t.same(await fetch(), document);
  t.equal(await fetch(1), undefined);
  t.same(await fetch(0), document, 'who holds nothing is sent the whole');
  t.same(seen, [undefined, '"1"', undefined]);
  const unknown = httpsFeedSource(url, { dispatcher: strangers });
  const fetched = unknown.fetch({ version: 0, setHash: undefined }, 0, new AbortController().signal);
  await t.rejects(fetched, 'a certificate of nobody known');

  const refused: Readonly<Record<string, readonly [RequestListener, object]>> = {
    redirect: [(_q, r) => r.writeHead(302, { location: '/keyd/feed.json' }).end(), { message: /302/ }],
    'not found': [(_q, r) => r.writeHead(404).end('{}'), { message: /404/ }],
    'unchanged, though nothing is held': [(_q, r) => r.writeHead(304).end(), { message: /304/ }],
    'no JSON': [(_q, r) => r.end('<html>'), { message: /not JSON/ }],
    'another form': [(_q, r) => r.end('{"beacon":1}'), { code: 'malformed' }],
    'an empty answer': [(_q, r) => r.end(), { code: 'malformed' }],
    'too large': [(_q, r) => r.end(JSON.stringify({ beacon: 'x'.repeat(100_001) })), { message: /larger than 100000/ }],
    'broken off': [
      (_q, r) => {
        r.writeHead(200, { 'content-length': '1000' }).write('{');
        setImmediate(() => r.destroy());
      },
      { message: /./ },
    ],
  };
  for (const [what, [listener, error]] of Object.entries(refused)) {
    answer = listener;
    t.match(await fetch().catch((failure: unknown) => failure), error, what);
  }
});
