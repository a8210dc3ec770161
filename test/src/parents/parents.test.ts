import { createMtlsAgent } from '@sigv4-keyd/fastify-mtls';
import {
  errorCodeOf,
  KeydError,
  mtlsKeySource,
  ParentHealth,
  PeerClient,
  READY_PATH,
  SERVICE_KEYS,
  type KeyAnswer,
  type ServiceKeySource,
} from '@sigv4-keyd/hop-protocol';
import { kDate, kRegion, kSecret, kService, exportKService, type KService } from '@sigv4-keyd/sigv4-core';
import { randomBytes } from 'node:crypto';
import t, { type Test } from 'tap';
import { z } from 'zod';
import { TestAuthority } from '../support/certificates.js';
import { day } from '../support/days.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { json, OddParent, refusal, type Oddity } from './odd-parent.js';

const TODAY = day('20261122');
const SCOPE = { region: 'eu-west-1', service: 's3' };
const REQUEST = { date: TODAY, accessKeyIds: ['AKIAONE', 'AKIATWO'] };
const KEY = exportKService(kService(kRegion(kDate(kSecret('a secret'), TODAY), 'eu-west-1'), 's3')).toString('base64');

const issued = (accessKeyId: string, key = KEY): object => ({ accessKeyId, key, createdAt: 0, version: 1 });
const GOOD = {
  date: TODAY,
  ...SCOPE,
  issued: [issued('AKIAONE')],
  absent: [{ accessKeyId: 'AKIATWO', reason: 'unknown' }],
};
const good = json(200, GOOD);

interface Asker {
  readonly parents: readonly OddParent[];
  readonly keys: ServiceKeySource;
  readonly client: PeerClient;
  /** Shares the memory of who is well. */
  readonly another: PeerClient;
  readonly health: ParentHealth;
  readonly clock: VirtualClock;
  /** Rings the ends of waits for the network. */
  readonly timer: VirtualClock;
  readonly told: string[];
  /** Requests that were begun, by the place of the parent. */
  readonly begun: number[];
  readonly issue: () => Promise<KeyAnswer<KService>>;
}

/** A client of as many parents as there are answers, nearest first. */
async function setUp(t: Test, ...answers: readonly Oddity[]): Promise<Asker> {
  const authority = await TestAuthority.create(t.testdir());
  const parents = await Promise.all(answers.map((answer) => OddParent.start(t, authority, answer)));
  const urls = parents.map(({ url }) => url);
  const clock = new VirtualClock('2026-11-22T12:00:00Z');
  const timer = new VirtualClock(0);
  const credentials = await authority.credentials({ role: 'edge', ...SCOPE, name: 'e1' });
  const agent = createMtlsAgent({ credentials, acceptsServer: ({ segments }) => segments[0] === 'region' });
  t.teardown(() => agent.destroy());
  const begun = urls.map(() => 0);
  const dispatcher = agent.compose((dispatch) => (options, handler) => {
    const place = urls.findIndex(({ origin }) => origin === String(options.origin));
    begun[place] = (begun[place] ?? 0) + 1;
    return dispatch(options, handler);
  });
  const told: string[] = [];
  const random = (): number => 0.5;
  const health = new ParentHealth({
    urls,
    clock,
    random,
    probe: (url) =>
      new PeerClient({ urls: [url], dispatcher }).call({ method: 'GET', path: READY_PATH, answer: z.undefined() }),
    onChange: (url, failure) =>
      told.push(`${urls.findIndex(({ origin }) => origin === url.origin)} ${failure === undefined ? 'well' : 'aside'}`),
  });
  t.teardown(() => health.close());
  const newClient = (): PeerClient => new PeerClient({ urls, dispatcher, health, clock, timer, random });
  const client = newClient();
  const keys = mtlsKeySource(SERVICE_KEYS, SCOPE, client);
  const issue = (): Promise<KeyAnswer<KService>> => keys.issue(REQUEST);
  return { parents, keys, client, another: newClient(), health, clock, timer, told, begun, issue };
}

function parentOf({ parents }: Asker, place: number): OddParent {
  const parent = parents[place];
  if (!parent) throw new RangeError(`there is no parent ${place}`);
  return parent;
}

/** Waits for what the network brings; with an asker, its clock goes on meanwhile. */
async function until(isSo: () => boolean, asker?: Pick<Asker, 'clock'>): Promise<void> {
  while (!isSo()) {
    await asker?.clock.advance(100);
    await new Promise(setImmediate);
  }
}

const isWell = ({ health }: Asker): readonly boolean[] => health.status.map(({ isHealthy }) => isHealthy);
const chosen = ({ health }: Asker): number => health.status.findIndex(({ isChosen }) => isChosen);

t.test('the nearest is asked; when it dies the request under way goes on to the next', async (t) => {
  const asker = await setUp(t, good, good, good);
  const [near, next, far] = [parentOf(asker, 0), parentOf(asker, 1), parentOf(asker, 2)];
  t.equal((await asker.issue()).issued.size, 1);
  t.same([near.asked, next.asked, far.asked], [1, 0, 0]);
  t.match(asker.health.status[0], { isHealthy: true, isChosen: true, answeredAt: asker.clock.now() });
  t.match(asker.health.status[1], { isHealthy: true, isChosen: false, answeredAt: undefined });

  near.answer = () => near.kill();
  t.equal((await asker.issue()).issued.size, 1, 'answered all the same');
  t.same([near.asked, next.asked], [2, 1]);
  t.equal(chosen(asker), 1);
  t.match(asker.health.status[0], { isHealthy: false, failure: /./ });
  t.same(asker.told, ['0 aside'], 'told once');

  await asker.another.call({ method: 'GET', path: '/v1/other', answer: z.unknown() });
  await asker.issue();
  t.same([near.asked, next.asked], [2, 3], 'nobody in the process asks it now, whatever the question');
});

t.test('a parent that was put aside is probed, and is the nearest again when it is well', async (t) => {
  const asker = await setUp(t, (response) => response.destroy(), good);
  const near = parentOf(asker, 0);
  near.ready = refusal(503, 'not-ready');
  await asker.issue();
  t.same(isWell(asker), [false, true]);
  near.answer = good;
  await asker.issue();
  t.equal(near.asked, 1, 'no request of anybody is spent on finding out');
  // Pauses are half of 1, 2, 4, ... seconds here.
  for (const [ms, probes] of [
    [499, 0],
    [1, 1],
    [999, 1],
    [1, 2],
    [1_999, 2],
    [1, 3],
  ] as const) {
    await asker.clock.advance(ms);
    await until(() => near.probed >= probes);
    await asker.another.call({ method: 'GET', path: '/v1/other', answer: z.unknown() });
    t.equal(near.probed, probes);
  }
  near.ready = (response) => response.writeHead(204).end();
  await asker.clock.advance(4_000);
  await until(() => isWell(asker)[0] === true);
  t.equal(chosen(asker), 0);
  await asker.issue();
  t.equal(near.asked, 2, 'the nearest again');
  t.same(asker.told, ['0 aside', '0 well']);
  t.match(asker.health.status[0], { isHealthy: true, failure: undefined });
});

t.test('with all of them put aside the nearest is still tried: it may be well by now', async (t) => {
  const dead: Oddity = (response) => response.destroy();
  const asker = await setUp(t, dead, dead);
  await t.rejects(asker.issue(), { code: 'parent-unavailable' });
  t.same(isWell(asker), [false, false]);
  parentOf(asker, 1).answer = good;
  t.equal((await asker.issue()).issued.size, 1);
  parentOf(asker, 0).answer = good;
  t.equal((await asker.issue()).issued.size, 1);
  t.same([parentOf(asker, 0).asked, parentOf(asker, 1).asked], [3, 2]);
});

t.test('a parent that is silent is overtaken by the next, and is put aside', async (t) => {
  const silent: Oddity = () => undefined;
  const asker = await setUp(t, silent, good);
  const [near, next] = [parentOf(asker, 0), parentOf(asker, 1)];
  const answer = asker.issue();
  await until(() => near.asked === 1);
  await asker.timer.advance(999);
  t.equal(next.asked, 0);
  await asker.timer.advance(1);
  t.equal((await answer).issued.size, 1);
  t.same([near.asked, next.asked], [1, 1]);
  t.match(asker.health.status[0], { isHealthy: false, failure: /sooner, though asked later/ });
  await asker.issue();
  t.equal(near.asked, 1, 'the next request does not wait for it');

  const report = asker.client.call({ method: 'POST', path: '/v1/report', body: {}, answer: z.unknown() });
  await report;
  t.equal(next.asked, 3);
});

t.test('hedges are few: parents that are slow under load are not asked twice as much', async (t) => {
  const asker = await setUp(
    t,
    () => undefined,
    () => undefined,
  );
  const near = parentOf(asker, 0);
  for (let call = 0; call < 30; call += 1) {
    let answer: (() => void) | undefined;
    near.answer = (response, body, request) => (answer = () => good(response, body, request));
    const issuing = asker.issue();
    await until(() => answer !== undefined);
    await asker.timer.advance(1_000);
    answer?.();
    t.equal((await issuing).issued.size, 1);
  }
  t.same(isWell(asker), [true, true], 'the first to answer is not slow');
  t.same(asker.begun, [30, 12], 'ten at once, and one more for each ten calls');
});

const lies: Readonly<Record<string, Oddity>> = {
  garbage: (response) => response.writeHead(200, { 'content-type': 'application/json' }).end(randomBytes(500)),
  'another form': json(200, { keys: [] }),
  'nothing at all': (response) => response.writeHead(204).end(),
  'a page of HTML': (response) => response.writeHead(200, { 'content-type': 'text/html' }).end(JSON.stringify(GOOD)),
  'no type': (response) => response.writeHead(200).end(JSON.stringify(GOOD)),
  'a redirect': json(307, GOOD, { location: 'https://127.0.0.1:1/' }),
  'a redirect without a body': (response) => response.writeHead(302, { location: '/' }).end(),
  'an unknown error': json(500, { oops: true }),
  'an unknown error code': refusal(400, 'made-up'),
  'an error page': (response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>'),
  'another date': json(200, { ...GOOD, date: '20261121' }),
  "another region's keys": json(200, { ...GOOD, region: 'us-east-1' }),
  "another service's keys": json(200, { ...GOOD, service: 'sqs' }),
  'keys of a whole region': json(200, { ...GOOD, service: undefined }),
  'ids never asked for': json(200, { ...GOOD, issued: [issued('AKIATHREE')] }),
  'an id twice': json(200, { ...GOOD, issued: [issued('AKIAONE'), issued('AKIAONE')] }),
  'an id both ways': json(200, { ...GOOD, issued: [issued('AKIAONE'), issued('AKIATWO')] }),
  'an id left out': json(200, { ...GOOD, absent: [] }),
  'a key of another length': json(200, { ...GOOD, issued: [issued('AKIAONE', 'AAAA')] }),
  'cut off': (response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '4000' });
    response.write(JSON.stringify(GOOD), () => response.destroy());
  },
  'too large': (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const chunk = Buffer.alloc(1024 * 1024, ' ');
    for (let mebibyte = 0; mebibyte < 9; mebibyte += 1) response.write(chunk);
    response.end('{}');
  },
};

t.test('a parent that lies is not believed: the next is asked, and the liar is put aside', async (t) => {
  const asker = await setUp(t, good, good);
  const near = parentOf(asker, 0);
  for (const [lie, oddity] of Object.entries(lies)) {
    near.answer = oddity;
    const answer = await asker.issue();
    t.same([...answer.issued.keys(), ...answer.absent.keys()], ['AKIAONE', 'AKIATWO'], lie);
    t.same(isWell(asker), [false, true], `${lie}: put aside`);
    near.answer = good;
    await until(() => isWell(asker)[0] === true, asker);
  }
});

t.test('a lie without a second parent is refused, and no message holds a key', async (t) => {
  const asker = await setUp(t, good);
  for (const [lie, oddity] of Object.entries(lies)) {
    parentOf(asker, 0).answer = oddity;
    const failure: unknown = await asker.issue().then(
      () => undefined,
      (error: unknown) => error,
    );
    t.equal(errorCodeOf(failure), 'parent-unavailable', lie);
    const { failure: told } = asker.health.status[0] ?? {};
    const texts = [String(told)];
    for (let cause = failure; cause instanceof Error; cause = cause.cause) texts.push(cause.message);
    t.notOk(
      texts.some((text) => text.includes(KEY)),
      'no key',
    );
    t.ok(told, `the status says why: ${told ?? ''}`);
  }
});

t.test('who lies again soon after a probe that it passed is put aside for longer each time', async (t) => {
  const asker = await setUp(t, json(200, { ...GOOD, region: 'us-east-1' }), good);
  const near = parentOf(asker, 0);
  for (let second = 0; second < 300; second += 1) {
    await asker.issue();
    await asker.clock.advance(1_000);
    await new Promise(setImmediate);
  }
  t.ok(near.asked > 5 && near.asked < 40, `${near.asked} of 300 requests met it first`);
});

t.test('an answer that never ends is given up', async (t) => {
  const asker = await setUp(
    t,
    (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{');
    },
    good,
  );
  const near = parentOf(asker, 0);
  const call = { method: 'GET', path: '/v1/other', answer: z.unknown(), timeoutMs: 60_000 } as const;
  const answer = asker.client.call(call);
  await until(() => near.asked === 1);
  await asker.timer.advance(30_000);
  t.match(await answer, GOOD);
  t.match(asker.health.status[0], { isHealthy: false, failure: /no whole answer within 30000 ms/ });
});

t.test('a refusal is final: no other parent is asked, and nobody is put aside', async (t) => {
  const asker = await setUp(t, good, good);
  for (const [status, code] of [
    [403, 'identity-banned'],
    [403, 'role-not-allowed'],
    [400, 'malformed-request'],
    [413, 'too-large'],
    [429, 'too-many-requests'],
  ] as const) {
    parentOf(asker, 0).answer = refusal(status, code);
    await t.rejects(asker.issue(), { code });
  }
  t.equal(parentOf(asker, 1).asked, 0);
  t.same(isWell(asker), [true, true]);
});

t.test('what is wrong with one parent (its clock, its authorities, its release) is not final', async (t) => {
  for (const [status, code] of [
    [403, 'date-outside-window'],
    [401, 'not-authenticated'],
    [404, 'not-found'],
  ] as const) {
    const asker = await setUp(t, refusal(status, code), good);
    t.equal((await asker.issue()).issued.size, 1, code);
    t.same(isWell(asker), [code === 'not-found', true], 'a route that its release lacks is no fault of all else');
    parentOf(asker, 1).answer = refusal(status, code);
    await t.rejects(asker.issue(), { code }, 'all of them: it is told as it is');
  }
});

t.test('a parent that cannot answer just now is asked whether it is ready', async (t) => {
  const asker = await setUp(t, refusal(503, 'parent-unavailable'), good);
  const near = parentOf(asker, 0);
  t.equal((await asker.issue()).issued.size, 1, 'the next one is asked at once');
  await until(() => near.probed === 1);
  await asker.another.call({ method: 'GET', path: '/v1/other', answer: z.unknown() });
  t.same(isWell(asker), [true, true], 'it is ready: the trouble is above it');
  t.same(asker.told, []);
  near.ready = refusal(503, 'not-ready');
  await asker.issue();
  await until(() => isWell(asker)[0] === false);
  t.same(asker.told, ['0 aside']);
});

t.test('who is told to wait waits, and does not go to the next replica for more', async (t) => {
  const asker = await setUp(t, refusal(429, 'too-many-requests', { 'retry-after': '7' }), good);
  const [near, next] = [parentOf(asker, 0), parentOf(asker, 1)];
  await t.rejects(asker.issue(), { code: 'too-many-requests', retryAfterSeconds: 7 });
  near.answer = good;
  for (const [ms, left] of [
    [0, 10],
    [7_000, 3],
    [2_400, 1],
  ] as const) {
    await asker.clock.advance(ms);
    await t.rejects(asker.issue(), { code: 'too-many-requests', retryAfterSeconds: left });
  }
  t.same([near.asked, next.asked], [1, 0], 'not a request meanwhile, to nobody');
  await asker.client.call({ method: 'GET', path: '/v1/other', answer: z.unknown() });
  t.equal(near.asked, 2, 'other routes go on');
  await asker.clock.advance(100);
  t.equal((await asker.issue()).issued.size, 1);
  t.same(isWell(asker), [true, true], 'and it was never thought dead');
});

t.test('a call that its caller ends says nothing of the parent', async (t) => {
  const asker = await setUp(t, () => undefined, good);
  const ending = new AbortController();
  const call = asker.client.call({ method: 'GET', path: '/v1/x', answer: z.unknown(), signal: ending.signal });
  await until(() => parentOf(asker, 0).asked === 1);
  ending.abort();
  await t.rejects(call, KeydError);
  t.equal(parentOf(asker, 1).asked, 0);
  t.same(isWell(asker), [true, true]);
});
