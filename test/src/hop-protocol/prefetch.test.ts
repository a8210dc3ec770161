import {
  CachedKeySource,
  isInWindow,
  KeydError,
  Prefetch,
  PREFETCH_HOURS,
  prefetchMoment,
} from '@sigv4-keyd/hop-protocol';
import { scopeDateOf } from '@sigv4-keyd/sigv4-core';
import t from 'tap';
import { day } from '../support/days.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { KnowingParent } from './knowing-parent.js';
import { holdTexts } from './text-keys.js';

const WINDOW = { longestPresignedSeconds: 86_400, clockSkewSeconds: 900 };

/** A cache over a parent that keeps to the same window, and prefetches. */
function setUp(at: string, { identity = 'spiffe://keyd.example/edge/us-east-1/s3/edge-1', random = 0.5 } = {}) {
  const clock = new VirtualClock(at);
  const parent = new KnowingParent();
  parent.accepts = (date) => isInWindow(WINDOW, date, clock.now());
  const keys = new CachedKeySource({
    parent,
    days: holdTexts(clock, WINDOW, { mostKeysADay: 100_000 }),
    clock,
    random: () => random,
    absentForMs: 5_000,
    missBudget: { burst: 100, perSecond: 10 },
  });
  const changes: unknown[] = [];
  const prefetch = new Prefetch({
    keys,
    hours: PREFETCH_HOURS.edge,
    identity,
    clock,
    random: () => random,
    onChange: (failure) => changes.push(failure),
  });
  prefetch.start();
  return { clock, parent, keys, prefetch, changes };
}

t.test('tomorrow is fetched once in the afternoon, for the access keys in use', async (t) => {
  const { clock, keys, parent } = setUp('2026-11-22T08:00:30Z');
  await keys.issue({ date: day('20261122'), accessKeyIds: ['AK1', 'AK2', 'NO1'] });
  await clock.moveTo('2026-11-22T14:00:00Z');
  t.equal(parent.asked.length, 1, 'regions come first');
  await clock.moveTo('2026-11-22T18:00:00Z');
  const last = parent.asked.at(-1);
  t.equal(last?.date, '20261123');
  t.same([...(last?.accessKeyIds ?? [])].sort(), ['AK1', 'AK2'], 'not those that do not exist');
  await clock.moveTo('2026-11-22T23:59:59Z');
  t.equal(parent.asked.length, 2, 'once');
});

t.test('identities are spread evenly over the hours of their tier, and a restart hardly moves one', (t) => {
  const minute = 60_000;
  for (const hours of [PREFETCH_HOURS.region, PREFETCH_HOURS.edge]) {
    const inQuarters = [0, 0, 0, 0];
    for (let i = 0; i < 4_000; i += 1) {
      const identity = `spiffe://keyd.example/edge/us-east-1/s3/edge-${i}`;
      const [first, again] = [prefetchMoment(hours, identity, 0), prefetchMoment(hours, identity, 0.999)];
      if (first < hours.from || again >= hours.to) t.fail(`${identity} is outside the hours`);
      if (again - first > 10 * minute) t.fail(`${identity} moved by ${(again - first) / minute} minutes`);
      const quarter = Math.floor((4 * (first - hours.from)) / (hours.to - hours.from));
      inQuarters[quarter] = (inQuarters[quarter] ?? 0) + 1;
    }
    t.ok(Math.min(...inQuarters) > 700, `about a quarter in each: ${inQuarters.join(', ')}`);
  }
  t.ok(PREFETCH_HOURS.region.to <= PREFETCH_HOURS.edge.from, 'regions hold the keys before edges ask for them');
  t.end();
});

t.test('nothing is fetched at midnight, for weeks of midnights', async (t) => {
  const { clock, keys, parent } = setUp('2028-02-14T18:00:30Z');
  const used = Array.from({ length: 20 }, (_, i) => `AK${i}`);
  await keys.issue({ date: day('20280214'), accessKeyIds: used });
  for (let night = 0; night < 30; night += 1) {
    const midnight = Date.parse('2028-02-15T00:00:00Z') + night * 86_400_000;
    await clock.moveTo(midnight - 1);
    const asked = parent.asked.length;
    await clock.moveTo(midnight + 60_000);
    keys.days.expire();
    for (const id of used) {
      if (typeof keys.held(scopeDateOf(clock.now()), id) !== 'object') t.fail(`${id} on night ${night}`);
    }
    if (parent.asked.length !== asked) t.fail(`asked at midnight of night ${night}`);
  }
  t.equal(parent.asked.length, 31, 'one request a day, leap day included');
});

t.test('an access key that fell out of use is no longer fetched', async (t) => {
  const { clock, keys } = setUp('2026-11-22T13:00:30Z');
  await keys.issue({ date: day('20261122'), accessKeyIds: ['AK1', 'AK2'] });
  const heldOn = (date: string): number => keys.days.status().find((one) => one.date === date)?.keys ?? 0;
  for (const date of ['20261123', '20261124', '20261125', '20261126']) {
    await clock.moveTo(`${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}T01:00:00Z`);
    keys.held(day(date), 'AK1');
  }
  t.equal(heldOn('20261125'), 2, 'for three days both');
  await clock.moveTo('2026-11-27T01:00:00Z');
  t.equal(heldOn('20261127'), 1, 'then the one that was used');
});

t.test('a session is fetched for the days that it lasts, and never again', async (t) => {
  const { clock, keys, parent } = setUp('2026-11-22T08:00:30Z');
  const ids = ['ASIAOFANHOUR', 'ASIAOVERNIGHT'];
  parent.knows = (id) => id.startsWith('A');
  parent.endOf = (id) => {
    if (id === 'ASIAOFANHOUR') return Date.parse('2026-11-22T09:00:00Z');
    return id === 'ASIAOVERNIGHT' ? Date.parse('2026-11-23T20:00:00Z') : undefined;
  };
  await keys.issue({ date: day('20261122'), accessKeyIds: ['AK1', ...ids] });
  await clock.moveTo('2026-11-22T18:00:00Z');
  t.same([...(parent.asked.at(-1)?.accessKeyIds ?? [])].sort(), ['AK1', 'ASIAOVERNIGHT']);
  for (const date of ['20261123', '20261124']) {
    await clock.moveTo(`${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}T18:00:00Z`);
    keys.days.expire();
    t.same(parent.asked.at(-1)?.accessKeyIds, ['AK1'], 'nobody is asked about what has ended');
  }
});

t.test('an outage in the afternoon is made up for, and is told once', async (t) => {
  const { clock, keys, parent, changes, prefetch } = setUp('2026-11-22T13:00:30Z');
  await keys.issue({ date: day('20261122'), accessKeyIds: ['AK1'] });
  parent.failure = new KeydError('parent-unavailable');
  await clock.moveTo('2026-11-22T22:00:00Z');
  t.equal(changes.length, 1);
  t.equal(prefetch.lag.accessKeys, 1);
  parent.failure = undefined;
  await clock.moveTo('2026-11-22T22:02:00Z');
  t.equal(prefetch.lag.accessKeys, 0);
  t.same(changes.slice(1), [undefined]);
  t.ok(keys.held(day('20261123'), 'AK1'));
});

t.test('what a tier wants from its start on is tried again at once, then ever later', async (t) => {
  const clock = new VirtualClock('2026-11-22T09:00:00Z');
  const days = holdTexts(clock, WINDOW, { mostKeysADay: 1_000 });
  const random = (): number => 0.5;
  const missBudget = { burst: 100, perSecond: 10 };
  const keys = new CachedKeySource({
    parent: new KnowingParent(),
    days,
    clock,
    random,
    absentForMs: 5_000,
    missBudget,
  });
  const asked: number[] = [];
  const state = { isParentUp: false };
  const prefetch = new Prefetch({
    keys,
    wanted: {
      daysCutShort: [],
      bring: () => {
        asked.push((clock.now() - Date.parse('2026-11-22T09:00:00Z')) / 1000);
        return state.isParentUp ? Promise.resolve() : Promise.reject(new KeydError('parent-unavailable'));
      },
    },
    hours: PREFETCH_HOURS.edge,
    identity: 'spiffe://keyd.example/edge/us-east-1/s3/edge-1',
    clock,
    random,
    onChange: () => undefined,
  });
  const stop = prefetch.start();
  // The first attempt is over before time goes on.
  await prefetch.beat();
  await clock.advance(59_999);
  t.same(asked.splice(0), [0, 1, 3, 7, 15, 31]);
  await clock.advance(120_001);
  t.same(asked.splice(0), [60, 120, 180], 'then with each beat');
  state.isParentUp = true;
  await clock.advance(60_000);
  state.isParentUp = false;
  await clock.advance(61_000);
  t.same(asked.splice(0), [240, 300, 301], 'soon again after the next first failure');
  stop();
  await clock.advance(600_000);
  t.same(asked, [], 'not after its end');
});

t.test('an access key that comes into use in the evening is there after midnight', async (t) => {
  const { clock, keys } = setUp('2026-11-22T20:00:30Z');
  await keys.find(day('20261122'), 'AK9');
  await clock.moveTo('2026-11-23T00:00:00Z');
  t.match(keys.held(day('20261123'), 'AK9'), { key: 'AK9@20261123' });
});

t.test('many access keys go up in requests of the largest size', async (t) => {
  const { clock, keys, parent } = setUp('2026-11-22T14:00:00Z');
  const ids = Array.from({ length: 12_000 }, (_, i) => `AK${i}`);
  for (let at = 0; at < ids.length; at += 5_000) {
    await keys.issue({ date: day('20261122'), accessKeyIds: ids.slice(at, at + 5_000) });
  }
  const asked = parent.asked.length;
  await clock.moveTo('2026-11-22T14:50:00Z');
  const held = (): number | undefined => keys.days.status()[1]?.keys;
  while (held() !== ids.length) await new Promise(setImmediate);
  t.same(
    parent.asked.slice(asked).map(({ accessKeyIds }) => accessKeyIds.length),
    [5_000, 5_000, 2_000],
  );
});
