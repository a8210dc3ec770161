import { autonomySeconds, CachedKeySource, keyGauges, KeydError, PREFETCH_HOURS } from '@sigv4-keyd/hop-protocol';
import { createLogger, KeyUpkeep } from '@sigv4-keyd/service-skeleton';
import t from 'tap';
import { day } from '../support/days.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { KnowingParent } from './knowing-parent.js';
import { holdTexts } from './text-keys.js';

const WINDOW = { longestPresignedSeconds: 86_400, clockSkewSeconds: 900 };
const HOUR = 3_600;

function setUp(at: string, { mostKeysADay = 1_000, silenceEndsAt }: Partial<SetUp> = {}) {
  const clock = new VirtualClock(at);
  const parent = new KnowingParent();
  const random = (): number => 0.5;
  const lines: string[] = [];
  const log = createLogger({ service: 'test', level: 'info', destination: { write: (line) => lines.push(line) } });
  const days = holdTexts(clock, WINDOW, { mostKeysADay });
  const missBudget = { burst: 100, perSecond: 10 };
  const keys = new CachedKeySource({ parent, days, clock, random, absentForMs: 5_000, missBudget });
  const brought: string[] = [];
  const wanted = {
    daysCutShort: [],
    failure: undefined as Error | undefined,
    bring(date: string): Promise<void> {
      brought.push(date);
      return this.failure ? Promise.reject(this.failure) : Promise.resolve();
    },
  };
  const identity = 'spiffe://keyd.example/edge/us-east-1/s3/edge-1';
  const upkeep = new KeyUpkeep({
    keys,
    hours: PREFETCH_HOURS.edge,
    identity,
    wanted,
    ...(silenceEndsAt !== undefined && { silenceEndsAt }),
    clock,
    random,
    log,
  });
  return { clock, parent, keys, upkeep, lines, brought, wanted };
}

interface SetUp {
  readonly mostKeysADay: number;
  readonly silenceEndsAt: () => number;
}

t.test('autonomy: what is held until when, or silence, whichever ends first', (t) => {
  const at = (time: string): number => Date.parse(`2026-11-22T${time}Z`);
  const held =
    (...dates: readonly string[]) =>
    (date: string): boolean =>
      dates.includes(date);
  const [today, tomorrow] = [day('20261122'), day('20261123')];
  const cases = [
    ['nothing held', { now: at('10:00:00'), holds: held(), fetchedAhead: undefined }, 0],
    ['nothing of today', { now: at('10:00:00'), holds: held('20261121'), fetchedAhead: undefined }, 0],
    ['today', { now: at('10:00:00'), holds: held(today), fetchedAhead: today }, 14 * HOUR],
    ['tomorrow, all in use', { now: at('18:00:00'), holds: held(today, tomorrow), fetchedAhead: tomorrow }, 30 * HOUR],
    ['tomorrow, some only', { now: at('18:00:00'), holds: held(today, tomorrow), fetchedAhead: undefined }, 6 * HOUR],
    ['nobody in use tomorrow', { now: at('18:00:00'), holds: held(today), fetchedAhead: tomorrow }, 6 * HOUR],
    ['the last second', { now: at('23:59:59'), holds: held(today), fetchedAhead: today }, 1],
    ['silence', { now: at('10:00:00'), holds: held(today), fetchedAhead: today, silenceEndsAt: at('11:00:00') }, HOUR],
    ['too long a silence', { now: at('10:00:00'), holds: held(today), fetchedAhead: today, silenceEndsAt: 0 }, 0],
  ] as const;
  for (const [name, state, expected] of cases) t.equal(autonomySeconds(state), expected, name);
  t.end();
});

t.test('the gauges follow a day, an outage in its afternoon, and its end', async (t) => {
  const { clock, keys, upkeep, parent, lines } = setUp('2026-11-22T10:00:30Z');
  t.match(keyGauges.parse(upkeep.gauges()), { autonomySeconds: 0, daysHeld: 0, keysHeld: 0 });
  t.equal(upkeep.holdsToday, false);
  const stop = upkeep.start();
  await keys.find(day('20261122'), 'AK1');
  await keys.find(day('20261122'), 'AK2');
  t.match(upkeep.gauges(), { autonomySeconds: 14 * HOUR - 30, daysHeld: 1, keysHeld: 2, mostKeysADay: 1_000 });
  t.equal(upkeep.holdsToday, true);

  parent.failure = new KeydError('parent-unavailable');
  await clock.moveTo('2026-11-22T18:00:30Z');
  const behind = upkeep.gauges();
  t.match(behind, { autonomySeconds: 6 * HOUR - 30, prefetchLag: { accessKeys: 2 } });
  t.ok(behind.prefetchLag.seconds > 3 * HOUR && behind.prefetchLag.seconds < 4 * HOUR, 'since its moment');
  t.ok(behind.misses.failed > 0);
  t.equal(lines.filter((line) => line.includes('prefetch-failing')).length, 1, 'told once');

  parent.failure = undefined;
  await clock.moveTo('2026-11-22T18:02:00Z');
  t.match(upkeep.gauges(), {
    autonomySeconds: 30 * HOUR - 120,
    daysHeld: 2,
    keysHeld: 4,
    prefetchLag: { accessKeys: 0, seconds: 0 },
  });
  t.equal(lines.filter((line) => line.includes('prefetch-resumed')).length, 1);

  await keys.find(day('20261122'), 'AK3');
  parent.failure = new KeydError('parent-unavailable');
  await clock.moveTo('2026-11-22T19:00:00Z');
  t.match(
    upkeep.gauges(),
    { autonomySeconds: 5 * HOUR, prefetchLag: { accessKeys: 1 } },
    'one that came into use late',
  );
  parent.failure = undefined;
  await clock.moveTo('2026-11-22T19:02:00Z');
  t.match(upkeep.gauges(), { autonomySeconds: 29 * HOUR - 120 });
  await clock.moveTo('2026-11-24T00:20:00Z');
  t.match(upkeep.gauges(), { daysHeld: 2, keysHeld: 6 }, 'the window moves on: old days are forgotten');
  stop();
});

t.test('an edge is no longer autonomous than silence about revocations allows', (t) => {
  const { upkeep, keys } = setUp('2026-11-22T10:00:00Z', { silenceEndsAt: () => Date.parse('2026-11-22T10:30:00Z') });
  return keys.find(day('20261122'), 'AK1').then(() => {
    t.equal(upkeep.gauges().autonomySeconds, HOUR / 2);
  });
});

t.test('what is wanted is brought at once for today, and with the keys of tomorrow', async (t) => {
  const { clock, upkeep, brought, wanted } = setUp('2026-11-22T10:00:30Z');
  wanted.failure = new KeydError('parent-unavailable');
  const stop = upkeep.start();
  await new Promise(setImmediate);
  t.same(brought, ['20261122'], 'at the start');
  wanted.failure = undefined;
  await clock.moveTo('2026-11-22T10:02:00Z');
  t.same(new Set(brought), new Set(['20261122']), 'again until it is there');
  await clock.moveTo('2026-11-22T18:00:00Z');
  t.ok(brought.includes('20261123'));
  const count = brought.length;
  stop();
  await clock.moveTo('2026-11-22T20:00:00Z');
  t.equal(brought.length, count, 'not after it was stopped');
});

t.test('memory that is too small is told, in the log once a day and as a warning', async (t) => {
  const { keys, upkeep, lines } = setUp('2026-11-22T10:00:30Z', { mostKeysADay: 10 });
  const stop = upkeep.start();
  for (let i = 0; i < 10; i += 1) await keys.find(day('20261122'), `AK${i}`);
  t.same(upkeep.warnings(), []);
  for (let i = 10; i < 30; i += 1) await keys.find(day('20261122'), `AK${i}`);
  t.match(upkeep.warnings(), [/more access keys are in use on 20261122 than fit \(10 a day\).*raise KEYD_KEY_MEMORY/]);
  t.equal(lines.filter((line) => line.includes('key-memory-full')).length, 1);
  stop();
});
