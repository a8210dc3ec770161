import { CachedKeySource, KeydError } from '@sigv4-keyd/hop-protocol';
import { scopeDateOf } from '@sigv4-keyd/sigv4-core';
import t from 'tap';
import { VirtualClock } from '../support/virtual-clock.js';
import { KnowingParent } from './knowing-parent.js';
import { holdTexts } from './text-keys.js';

const NOON = '2026-11-22T12:00:00Z';
const TODAY = scopeDateOf(Date.parse(NOON));

function setUp({ mostKeysADay = 1_000, random = 0.999 } = {}): {
  readonly clock: VirtualClock;
  readonly parent: KnowingParent;
  readonly cache: CachedKeySource<string>;
} {
  const clock = new VirtualClock(NOON);
  const parent = new KnowingParent();
  const window = { longestPresignedSeconds: 3_600, clockSkewSeconds: 900 };
  const cache = new CachedKeySource({
    parent,
    days: holdTexts(clock, window, { mostKeysADay }),
    clock,
    random: () => random,
    absentForMs: 5_000,
    missBudget: { burst: 100, perSecond: 10 },
  });
  return { clock, parent, cache };
}

t.test('a key is asked for once and then held', async (t) => {
  const { cache, parent } = setUp();
  t.equal(cache.held(TODAY, 'AK1'), undefined);
  t.match(await cache.find(TODAY, 'AK1'), { key: 'AK1@20261122' });
  t.match(await cache.find(TODAY, 'AK1'), { key: 'AK1@20261122' });
  t.match(cache.held(TODAY, 'AK1'), { key: 'AK1@20261122' });
  t.equal(parent.asked.length, 1);
});

t.test('concurrent misses join: one request under way, the rest together in the next, nobody twice', async (t) => {
  const { cache, parent } = setUp();
  const open = parent.hold();
  const find = (ids: readonly string[]): Promise<unknown> => Promise.all(ids.map((id) => cache.find(TODAY, id)));
  const first = find(['AK1', 'AK2', 'AK1']);
  await new Promise(setImmediate);
  const rest = [find(['AK3', 'AK1']), find(['AK4', 'AK3'])];
  await new Promise(setImmediate);
  t.equal(parent.asked.length, 1);
  open();
  await Promise.all([first, ...rest]);
  t.same(
    parent.asked.map(({ accessKeyIds }) => accessKeyIds),
    [
      ['AK1', 'AK2'],
      ['AK3', 'AK4'],
    ],
  );
});

t.test('a batch has the id of the request that waits first, and the others are told beside it', async (t) => {
  const { cache, parent } = setUp();
  const shared: [string, readonly string[]][] = [];
  const stop = cache.onShared((requestId, others) => shared.push([requestId, others]));
  const open = parent.hold();
  const first = [cache.find(TODAY, 'AK1', 'request-1'), cache.find(TODAY, 'AK2', 'request-2')];
  await new Promise(setImmediate);
  const late = [
    cache.find(TODAY, 'AK1', 'request-3'),
    cache.issue({ date: TODAY, accessKeyIds: ['AK4'] }, 'request-4'),
  ];
  await new Promise(setImmediate);
  open();
  await Promise.all([...first, ...late]);
  t.same(parent.requestIds, ['request-1', 'request-4']);
  t.same(shared, [['request-1', ['request-2', 'request-3']]]);
  parent.failure = new KeydError('parent-unavailable');
  const failing = [cache.find(TODAY, 'AK5', 'request-5'), cache.find(TODAY, 'AK5', 'request-6')];
  for (const one of failing) await t.rejects(one);
  t.same(shared.at(-1), ['request-5', ['request-6']], 'in vain, too');
  stop();
  await cache.find(TODAY, 'AK1', 'request-7');
  t.equal(parent.requestIds.length, 3, 'what is held asks nobody');
});

t.test('an absent access key is remembered for seconds, then asked for again', async (t) => {
  const { cache, parent, clock } = setUp();
  t.equal(await cache.find(TODAY, 'NO1'), 'unknown');
  t.equal(await cache.find(TODAY, 'NO1'), 'unknown');
  t.equal(parent.asked.length, 1);
  await clock.advance(5_001);
  t.equal(await cache.find(TODAY, 'NO1'), 'unknown');
  t.equal(parent.asked.length, 2);
});

t.test('a flood of made-up ids costs the parent its budget and no more, and held keys go on', async (t) => {
  const { cache, parent, clock } = setUp();
  await cache.find(TODAY, 'AK1');
  const before = parent.idsAsked;
  for (let second = 0; second < 10; second += 1) {
    for (let wave = 0; wave < 20; wave += 1) {
      await Promise.allSettled(Array.from({ length: 50 }, (_, i) => cache.find(TODAY, `NO${second}x${wave}x${i}`)));
    }
    t.match(cache.held(TODAY, 'AK1'), { key: 'AK1@20261122' });
    await clock.advance(1_000);
  }
  const budget = 100 + 10 * 10;
  t.ok(parent.idsAsked - before <= budget + 50, `${parent.idsAsked - before} of 10,000 made-up ids were asked for`);
  t.ok(parent.idsAsked - before >= 100, 'the budget was used');
});

t.test('honest access keys cost no budget', async (t) => {
  const { cache, parent } = setUp();
  for (let i = 0; i < 500; i += 1) await cache.find(TODAY, `AK${i}`);
  t.equal(parent.idsAsked, 500);
});

t.test('a parent that fails is left alone for a growing pause; misses fail at once, held keys do not', async (t) => {
  const { cache, parent, clock } = setUp();
  await cache.find(TODAY, 'AK1');
  parent.failure = new KeydError('parent-unavailable');
  await t.rejects(cache.find(TODAY, 'AK2'), { code: 'parent-unavailable' });
  await t.rejects(cache.find(TODAY, 'AK2'), { code: 'parent-unavailable' });
  t.equal(parent.asked.length, 2, 'the second miss did not reach the parent');
  t.match(await cache.find(TODAY, 'AK1'), { key: 'AK1@20261122' });
  await clock.advance(201);
  await t.rejects(cache.find(TODAY, 'AK2'));
  t.equal(parent.asked.length, 3);
  await clock.advance(201);
  await t.rejects(cache.find(TODAY, 'AK2'));
  t.equal(parent.asked.length, 3, 'the pause has grown');
  parent.failure = undefined;
  await clock.advance(5_000);
  t.match(await cache.find(TODAY, 'AK2'), { key: 'AK2@20261122' });
});

t.test('dates outside the window are refused before the parent is asked', async (t) => {
  const { cache, parent } = setUp();
  for (const at of ['2026-11-20T00:00:00Z', '2026-11-24T00:00:00Z']) {
    await t.rejects(cache.find(scopeDateOf(Date.parse(at)), 'AK1'), { code: 'date-outside-window' });
  }
  t.equal(parent.asked.length, 0);
});

t.test('days that left the window are forgotten', async (t) => {
  const { cache, clock } = setUp();
  await cache.find(TODAY, 'AK1');
  await clock.moveTo('2026-11-23T01:14:59Z');
  cache.days.expire();
  t.equal(cache.days.status().length, 1, 'presigned URLs of yesterday may still live');
  await clock.moveTo('2026-11-23T01:15:00Z');
  cache.days.expire();
  t.same(cache.days.status(), []);
  t.equal(cache.held(TODAY, 'AK1'), undefined);
});

t.test('purging takes exactly what was hit', async (t) => {
  const { cache, parent } = setUp();
  await Promise.all(['AK1', 'AK2', 'AK3'].map((id) => cache.find(TODAY, id)));
  t.equal(await cache.purge((_date, { accessKeyId }) => accessKeyId === 'AK2'), 1);
  t.equal(cache.held(TODAY, 'AK2'), undefined);
  t.ok(cache.held(TODAY, 'AK1'));
  t.ok(cache.held(TODAY, 'AK3'));
  const asked = parent.asked.length;
  await cache.find(TODAY, 'AK2');
  t.equal(parent.asked.length, asked + 1);
});

t.test('at the bound the access keys that are in use stay, and it is told once', async (t) => {
  const { cache } = setUp({ mostKeysADay: 100 });
  const full: string[] = [];
  cache.days.subscribe({ onFull: (date) => full.push(date) });
  const inUse = Array.from({ length: 20 }, (_, i) => `AKUSED${i}`);
  for (let i = 0; i < 500; i += 1) {
    await cache.find(TODAY, `AK${i}`);
    for (const id of inUse) await cache.find(TODAY, id);
    const lost = inUse.filter((id) => !cache.days.has(TODAY, id));
    if (lost.length > 0) t.fail(`${lost.join(', ')} after ${i}`);
  }
  t.match(cache.days.status(), [{ keys: 100, evicted: 420 }]);
  t.same(full, [TODAY]);
});

t.test('an answer covers every access key that was asked for', async (t) => {
  const { cache } = setUp();
  const answer = await cache.issue({ date: TODAY, accessKeyIds: ['AK1', 'NO1', 'AK2'] });
  t.same([...answer.issued.keys()].sort(), ['AK1', 'AK2']);
  t.same([...answer.absent], [['NO1', 'unknown']]);
});

t.test('a slow parent does not keep anyone waiting whose keys are held', async (t) => {
  const { cache, parent, clock } = setUp();
  await cache.find(TODAY, 'AK1');
  const open = parent.hold();
  const missing = cache.find(TODAY, 'AK2');
  t.match(cache.held(TODAY, 'AK1'), { key: 'AK1@20261122' }, 'not even for a turn of the event loop');
  t.match(await cache.find(TODAY, 'AK1'), { key: 'AK1@20261122' });
  const answer = cache.issue({ date: TODAY, accessKeyIds: ['AK1', 'AK2', 'AK3'] });
  await clock.advance(1_000);
  const { issued, absent } = await answer;
  t.same([...issued.keys()], ['AK1'], 'asked for together with others: after a second');
  t.same(
    [...absent],
    [
      ['AK2', 'unavailable'],
      ['AK3', 'unavailable'],
    ],
  );
  let settled = false;
  const nothingKnown = cache.issue({ date: TODAY, accessKeyIds: ['AK4'] }).finally(() => {
    settled = true;
  });
  await clock.advance(60_000);
  t.equal(settled, false, 'who asks for nothing that is held waits for the parent');
  open();
  t.match(await missing, { key: 'AK2@20261122' });
  t.same([...(await nothingKnown).issued.keys()], ['AK4']);
  const later = await cache.issue({ date: TODAY, accessKeyIds: ['AK2', 'AK3'] });
  t.same([...later.issued.keys()], ['AK2', 'AK3'], 'what came too late for one answer is held for the next');
});

t.test('with the parent down, an answer has what is held; only one without anything is an error', async (t) => {
  const { cache, parent, clock } = setUp();
  await cache.issue({ date: TODAY, accessKeyIds: ['AK1', 'NO1'] });
  parent.failure = new KeydError('parent-unavailable');
  const { issued, absent } = await cache.issue({ date: TODAY, accessKeyIds: ['AK1', 'NO1', 'AK2'] });
  t.same([...issued.keys()], ['AK1']);
  t.same(
    [...absent],
    [
      ['NO1', 'unknown'],
      ['AK2', 'unavailable'],
    ],
  );
  await t.rejects(cache.issue({ date: TODAY, accessKeyIds: ['AK2', 'AK3'] }), { code: 'parent-unavailable' });
  parent.failure = undefined;
  await clock.advance(5_000);
  t.equal((await cache.issue({ date: TODAY, accessKeyIds: ['AK2', 'AK3'] })).issued.size, 2);
  t.match(cache.misses, { asked: 5, absent: 1, failed: 1, refused: 0 });
});

t.test('what the parent calls unavailable is asked for again soon, and leaves no debt', async (t) => {
  const { cache, parent, clock } = setUp();
  parent.isBlind = true;
  const many = Array.from({ length: 500 }, (_, i) => `AK${i}`);
  const { absent } = await cache.issue({ date: TODAY, accessKeyIds: many });
  t.same(new Set(absent.values()), new Set(['unavailable']));
  t.equal(cache.held(TODAY, 'AK1'), 'unavailable');
  await t.rejects(cache.find(TODAY, 'AK501'), { code: 'too-many-requests' }, 'a flood of them is held off');
  await t.rejects(cache.fetchAhead({ date: TODAY, accessKeyIds: ['AK502'] }), { code: 'parent-unavailable' });
  parent.isBlind = false;
  await clock.advance(1_000);
  t.match(await cache.find(TODAY, 'AK1'), { key: 'AK1@20261122' });
  t.match(await cache.find(TODAY, 'AK501'), { key: 'AK501@20261122' });
});

t.test('the pause after a failure is anything from nothing to its ceiling, by chance', async (t) => {
  const askedWithin = async (random: number, ms: number): Promise<number> => {
    const { cache, parent, clock } = setUp({ random });
    parent.failure = new KeydError('parent-unavailable');
    await t.rejects(cache.find(TODAY, 'AK1'));
    await clock.advance(ms);
    await t.rejects(cache.find(TODAY, 'AK2'));
    return parent.asked.length;
  };
  t.equal(await askedWithin(0, 0), 2, 'nothing');
  t.equal(await askedWithin(0.5, 99), 1);
  t.equal(await askedWithin(0.5, 100), 2, 'half of it');
  t.equal(await askedWithin(0.999, 199), 1);
  t.equal(await askedWithin(0.999, 200), 2, 'all of it');
});
