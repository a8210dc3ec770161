import { isInWindow, longerWindows, mostDaysInWindow, windowOfDays, type WindowRule } from '@sigv4-keyd/hop-protocol';
import t from 'tap';
import { day } from '../support/days.js';

const WEEK = { longestPresignedSeconds: 7 * 86_400, clockSkewSeconds: 900 };
const HOUR = { longestPresignedSeconds: 3_600, clockSkewSeconds: 900 };

const days = (rule: WindowRule, at: string): string => windowOfDays(rule, Date.parse(at)).join(' ');

t.test('the window holds today, tomorrow from noon UTC on, and the days of presigned URLs that may live', (t) => {
  t.equal(days(HOUR, '2026-11-22T11:59:59Z'), '20261122', 'before noon: today alone');
  t.equal(days(HOUR, '2026-11-22T12:00:00Z'), '20261122 20261123', 'from noon on: tomorrow too');
  t.equal(
    days(HOUR, '2026-11-22T01:14:59Z'),
    '20261121 20261122',
    'a URL of yesterday may live for an hour and the skew',
  );
  t.equal(days(HOUR, '2026-11-22T01:15:00Z'), '20261122', 'and not longer');
  t.equal(
    days(WEEK, '2026-11-22T00:15:00Z'),
    '20261115 20261116 20261117 20261118 20261119 20261120 20261121 20261122',
    'seven days back',
  );
  t.equal(windowOfDays(WEEK, Date.parse('2026-11-22T00:14:59Z'))[0], '20261114', 'an eighth day for the skew alone');
  t.equal(days(HOUR, '2028-02-28T13:00:00Z'), '20280228 20280229', 'leap day');
  t.equal(days(HOUR, '2026-12-31T13:00:00Z'), '20261231 20270101', 'new year');
  t.end();
});

t.test('the most days at once are as many as there ever are', (t) => {
  const none = { longestPresignedSeconds: 0, clockSkewSeconds: 900 };
  for (const rule of [
    HOUR,
    WEEK,
    none,
    ...[1, 3].flatMap((daysAhead) => [
      { ...HOUR, daysAhead },
      { ...WEEK, daysAhead },
    ]),
  ]) {
    let most = 0;
    for (let minute = 0; minute < 1_440; minute += 1) {
      most = Math.max(most, windowOfDays(rule, Date.parse('2026-11-22T00:00:00Z') + minute * 60_000).length);
    }
    t.equal(mostDaysInWindow(rule), most);
  }
  t.end();
});

t.test('days ahead are in the window all day long', (t) => {
  const ahead = { ...HOUR, daysAhead: 2 };
  for (const at of ['2026-11-22T02:00:00Z', '2026-11-22T12:00:00Z', '2026-11-22T23:59:59Z']) {
    t.equal(days(ahead, at), '20261122 20261123 20261124', at);
    t.ok(isInWindow(ahead, day('20261124'), Date.parse(at)));
    t.notOk(isInWindow(ahead, day('20261125'), Date.parse(at)));
  }
  t.equal(
    days({ ...HOUR, daysAhead: 0 }, '2026-11-22T12:00:00Z'),
    '20261122 20261123',
    'tomorrow comes at noon, still',
  );
  t.end();
});

t.test('tiers below that accept for longer than this one keeps are told of', (t) => {
  const edge = (n: number, window: WindowRule | undefined): { spiffeId: string; window: WindowRule | undefined } => ({
    spiffeId: `spiffe://keyd.test/edge/${n}`,
    window,
  });
  t.equal(longerWindows(WEEK, [edge(1, WEEK), edge(2, HOUR), edge(3, undefined)]), undefined);
  t.match(longerWindows(HOUR, [edge(1, HOUR), edge(2, WEEK)]), /edge\/2: .*604800s \+ 900s = 605700s.*4500s only/);
  t.match(longerWindows(HOUR, [edge(1, WEEK), edge(2, WEEK), edge(3, WEEK)]), /edge\/1 and 2 more:/);
  t.end();
});

t.test('dates outside the window are refused in both directions', (t) => {
  const noon = Date.parse('2026-11-22T12:00:00Z');
  t.notOk(isInWindow(HOUR, day('20261124'), noon), 'the day after tomorrow');
  t.notOk(isInWindow(HOUR, day('20261123'), noon - 1), 'tomorrow before noon');
  t.ok(isInWindow(HOUR, day('20261123'), noon));
  t.notOk(isInWindow(HOUR, day('20261121'), noon), 'yesterday, when no URL of it can live');
  t.notOk(isInWindow(WEEK, day('20261114'), noon), 'eight days ago');
  t.ok(isInWindow(WEEK, day('20261115'), noon));
  t.end();
});
