import t from 'tap';
import { day } from '../support/days.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { factsOf, holdTexts, TEXT_KEYS } from './text-keys.js';

const WINDOW = { longestPresignedSeconds: 3_600, clockSkewSeconds: 900 };
const TODAY = day('20261122');
const TOMORROW = day('20261123');

type Options = Parameters<typeof holdTexts>[2];

function setUp(options: Options = {}) {
  const clock = new VirtualClock('2026-11-22T13:00:00Z');
  const made: string[] = [];
  const memory: Uint8Array[] = [];
  const days = holdTexts(clock, WINDOW, {
    ready: (text) => {
      made.push(text);
      return text;
    },
    allocate: (bytes) => {
      const piece = new Uint8Array(bytes);
      memory.push(piece);
      return piece;
    },
    ...options,
  });
  const told: string[] = [];
  days.subscribe({
    onHeld: (date, id) => told.push(`held ${date} ${id}`),
    onWiped: (date, id) => told.push(`wiped ${date} ${id}`),
    onExpired: (date) => told.push(`expired ${date}`),
    onFull: (date) => told.push(`full ${date}`),
  });
  const hold = (id: string, text: string, date = TODAY, facts = factsOf(id)): string =>
    days.hold(date, facts, TEXT_KEYS.exportKey(text));
  const occurs = (text: string): boolean => memory.some((piece) => Buffer.from(piece.buffer).includes(text));
  return { clock, days, made, told, hold, occurs };
}

t.test('a key in use is made ready once, and anew when it is replaced', (t) => {
  const { days, made, hold } = setUp();
  t.equal(hold('AK1', 'first'), 'held');
  t.same(made, [], 'not before it is used');
  for (let i = 0; i < 3; i += 1) t.match(days.find(TODAY, 'AK1'), { key: 'first', facts: { version: 1 } });
  t.same(made, ['first']);
  hold('AK1', 'second');
  t.match(days.find(TODAY, 'AK1'), { key: 'second' });
  days.delete(TODAY, 'AK1');
  t.equal(days.find(TODAY, 'AK1'), undefined);
  t.equal(days.find(TOMORROW, 'AK1'), undefined);
  t.end();
});

t.test('what must not be held is not, wherever it comes from', (t) => {
  const revoked = new Set(['AKREVOKED']);
  const { days, hold, told } = setUp({
    denialOf: (_date, { accessKeyId }) => (revoked.has(accessKeyId) ? 'revoked' : undefined),
  });
  t.equal(hold('AKREVOKED', 'x'), 'revoked');
  t.equal(hold('AK1', 'x', day('20261121')), 'outside-window');
  t.equal(hold('AK1', 'x', day('20261124')), 'outside-window');
  t.equal(days.holdIssued(TODAY, { facts: factsOf('AKREVOKED'), key: 'x' }), 'revoked');
  t.same([days.status(), told], [[], []]);
  t.end();
});

t.test('an answer from before a secret was replaced does not displace the one from after', (t) => {
  const { days, hold } = setUp();
  t.equal(hold('AK1', 'new', TODAY, factsOf('AK1', { version: 2 })), 'held');
  t.equal(hold('AK1', 'old', TODAY, factsOf('AK1', { version: 1 })), 'outdated');
  t.match(days.find(TODAY, 'AK1'), { key: 'new', facts: { version: 2 } });
  t.equal(hold('AK1', 'same', TODAY, factsOf('AK1', { version: 2 })), 'held');
  t.match(days.find(TODAY, 'AK1'), { key: 'same' });
  t.end();
});

t.test('a day that leaves the window is overwritten with zeros, before any other is begun', async (t) => {
  const { days, hold, told, occurs, clock } = setUp();
  hold('AK1', 'of today');
  hold('AK1', 'of tomorrow', TOMORROW);
  days.find(TODAY, 'AK1');
  await clock.moveTo('2026-11-23T01:15:00Z');
  t.equal(occurs('of today'), true, 'the test sees what is there');
  days.expire();
  t.same([occurs('of today'), occurs('of tomorrow')], [false, true]);
  t.equal(days.find(TODAY, 'AK1'), undefined);
  t.match(days.status(), [{ date: TOMORROW, keys: 1 }]);
  t.same([days.holdsAny(clock.now()), days.holdsAny(clock.now() - 86_400_000)], [true, false]);
  await clock.moveTo('2026-11-24T13:00:00Z');
  hold('AK1', 'of a later day', day('20261124'));
  t.equal(occurs('of tomorrow'), false, 'nobody has to call expire for that');
  t.same(
    told.filter((line) => line.startsWith('expired')),
    [`expired ${TODAY}`, `expired ${TOMORROW}`],
  );
});

t.test('a purge takes what it hits out of memory and out of use, in turns, and leaves who used it', async (t) => {
  const { days, hold, told, occurs } = setUp();
  for (let i = 0; i < 5_000; i += 1) hold(`AK${i}`, `<key ${i}>`, i % 2 === 0 ? TODAY : TOMORROW);
  days.find(TODAY, 'AK0');
  days.find(TOMORROW, 'AK4999');
  let othersHadATurn = false;
  // Waits in line before the purge's next turn does.
  setImmediate(() => {
    othersHadATurn = days.has(TODAY, 'AK4998');
  });
  const purging = days.purge((date, { accessKeyId }) => date === TODAY || accessKeyId === 'AK4999');
  t.equal(occurs('<key 0>'), false, 'the first are gone before anything else happens');
  t.equal(days.find(TODAY, 'AK0'), undefined);
  t.equal(await purging, 2_501);
  t.ok(othersHadATurn, 'while the last were still there');
  t.same([occurs('<key 4998>'), occurs('<key 4999>'), occurs('<key 4997>')], [false, false, true]);
  t.equal(days.find(TOMORROW, 'AK4999'), undefined);
  t.match(days.status(), [{ keys: 0 }, { keys: 2_499 }]);
  t.equal(told.filter((line) => line.startsWith('wiped')).length, 2_501);
  t.same([...days.used.since(TODAY)].sort(), ['AK0', 'AK4999'], 'they come back when the revocation is over');
});

t.test('keys that are ready are few, and none of them outlives its bytes', (t) => {
  const { days, hold, made, told } = setUp({ mostKeysADay: 100 });
  for (let i = 0; i < 100; i += 1) hold(`AK${i}`, `key ${i}`);
  for (let i = 0; i < 100; i += 1) days.find(TODAY, `AK${i}`);
  made.length = 0;
  for (let i = 99; i >= 0; i -= 1) t.match(days.find(TODAY, `AK${i}`), { key: `key ${i}` });
  t.equal(made.length, 75, 'a quarter of them was ready still');
  for (let i = 100; i < 400; i += 1) hold(`AK${i}`, `key ${i}`);
  t.same(
    told.filter((line) => line.startsWith('full')),
    [`full ${TODAY}`],
    'told once',
  );
  for (let i = 0; i < 400; i += 1) {
    if ((days.find(TODAY, `AK${i}`) !== undefined) !== days.has(TODAY, `AK${i}`)) t.fail(`AK${i}`);
  }
  t.match(days.status(), [{ keys: 100, evicted: 300, turnedAway: 0 }]);
  t.end();
});

t.test('where all is pinned, there is no room, which is told', (t) => {
  const { days, hold, told } = setUp({ mostKeysADay: 2 });
  for (const id of ['AK1', 'AK2']) days.hold(TODAY, factsOf(id), TEXT_KEYS.exportKey(id), { isPinned: true });
  t.equal(hold('AK3', 'x'), 'no-room');
  t.equal(hold('AK4', 'x'), 'no-room');
  t.match(days.status(), [{ keys: 2, evicted: 0, turnedAway: 2 }]);
  t.same(
    told.filter((line) => line.startsWith('full')),
    [`full ${TODAY}`],
  );
  t.match(days.readyOnce({ facts: factsOf('AK3'), key: 'x' }), { key: 'x' }, 'for its one use');
  t.end();
});
