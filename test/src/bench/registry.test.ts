import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { atLeast, atMost, judged } from '@sigv4-keyd/bench/goals';
import { loadPart, PARTS } from '@sigv4-keyd/bench/parts';
import { notMeasured, reported } from '@sigv4-keyd/bench/report';
import t from 'tap';
import { runBench, tinyReport } from './running-bench.js';

const NAMES = Object.keys(PARTS);
const EMPTY = { tables: [], plots: [], figures: {} };

t.test('a figure on the wrong side of its limit turns met into missed', (t) => {
  const fast = atLeast(4, 'times', 'faster than a peer');
  const slow = atMost(3, 'times', 'beside the floor');
  t.equal(judged(fast, 4).verdict, 'met');
  t.equal(judged(fast, 3.99).verdict, 'missed');
  t.equal(judged(slow, 3).verdict, 'met');
  t.equal(judged(slow, 3.01).verdict, 'missed');
  t.equal(judged(slow, { notMeasured: 'nginx is not installed' }).verdict, 'not measured');
  t.end();
});

t.test('every goal of a part is in its report, with a figure or without', (t) => {
  const goals = [atMost(1, 's', 'one'), atMost(1, 's', 'another'), atMost(1, 's', 'forgotten')];
  const part = { about: '', goals, run: () => Promise.resolve(EMPTY) };
  const figures = { one: 2, another: { notMeasured: 'there is no compiler' } };
  t.match(reported('a part', part, { result: { ...EMPTY, figures }, seconds: 1 }).goals, [
    { what: 'one', figure: 2, verdict: 'missed' },
    { what: 'another', figure: { notMeasured: 'there is no compiler' }, verdict: 'not measured' },
    { what: 'forgotten', verdict: 'not measured' },
  ]);
  t.end();
});

t.test('the goals of a part that broke stay in the table', (t) => {
  const part = { about: '', goals: [atMost(1, 's', 'one')], run: () => Promise.reject(new Error('no database')) };
  t.match(notMeasured('a part', part, { why: 'no database', seconds: 1 }), {
    failed: 'no database',
    goals: [{ what: 'one', figure: { notMeasured: 'no database' }, verdict: 'not measured' }],
  });
  t.end();
});

t.test('goals of a part have names of their own', async (t) => {
  for (const name of NAMES) {
    const texts = (await loadPart(name)).goals.map(({ what }) => what);
    t.equal(new Set(texts).size, texts.length, name);
  }
});

t.test('--help lists every part', async (t) => {
  const { code, out } = await runBench('--help');
  t.equal(code, 0);
  for (const name of NAMES) t.match(out, `\n  ${name.padEnd(16)}  `);
});

for (const [args, problem] of [
  [['no-such-part'], 'there is no part no-such-part'],
  [['--no-such-option'], '--no-such-option'],
  [['--keys', 'many'], 'give --keys a whole number'],
  [['--edges', '0'], 'numbers above 0'],
  [['--json'], '--json'],
] as const) {
  t.test(`${args.join(' ')} is refused with what to do`, async (t) => {
    const { code, out, err } = await runBench(...args);
    t.match({ code, out }, { code: 2, out: '' });
    t.match(err, problem);
    t.match(err, 'npm run bench -- --help');
  });
}

t.test('parts that need no service: tables, goals and plots, as JSON and as SVG', async (t) => {
  const names = ['verification', 'sessions', 'access-keys', 'restart', 'return'];
  const out = join(t.testdir(), 'plots');
  const { parts, machine, scale } = await tinyReport(...names, '--out', out);
  t.match({ machine, scale }, { machine: /Node\.js \d+.*OpenSSL/, scale: 'tiny' });
  t.strictSame(
    parts.map(({ name }) => name),
    names,
  );
  for (const { name, tables, goals, plots } of parts) {
    t.ok(tables.length > 0 && tables.every(({ rows }) => rows.length > 0), `${name} has a table`);
    for (const { head, rows } of tables) {
      t.ok(
        rows.every((row) => row.length === head.length),
        `${name}: every row is as long as the head`,
      );
    }
    t.strictSame(
      goals.map(({ what }) => what),
      (await loadPart(name)).goals.map(({ what }) => what),
    );
    for (const plot of plots) {
      const file = join(out, `${plot.name}.svg`);
      t.ok(existsSync(file), file);
      const drawing = readFileSync(file, 'utf8');
      t.match(drawing, /^<svg [^>]+>[^]*<\/svg>\n$/);
      t.notMatch(drawing, /NaN|Infinity|undefined/);
    }
  }
});
