import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { METRICS, watchProcess } from '@sigv4-keyd/service-skeleton';
import { ERROR_CODES } from '@sigv4-keyd/sigv4-answers';
import t from 'tap';
import { missing } from '../fronts/front-under-test.js';
import { Scrape } from './scrape.js';

const FOLDER = 'deploy/observability';
const read = (name: string): string => readFileSync(join(FOLDER, name), 'utf8');
const ALERTS = read('alerts.yml');

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number };
  readonly targets?: readonly { readonly expr: string }[];
}

const DASHBOARD = JSON.parse(read('dashboard.json')) as {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: unknown }[] };
};
const PANELS = DASHBOARD.panels.filter(({ type }) => type !== 'row');
const EXPRESSIONS = PANELS.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

/** The names of metrics in a text, as they are defined: a histogram is asked for by three names. */
function metricsIn(text: string): readonly string[] {
  const names = [...text.matchAll(/\b(?:keyd|nodejs|process)_[a-z0-9_]+/g)].map(([name]) => name);
  return [
    ...new Set(names.map((name) => name.replace(/_(?:bucket|sum|count)$/, (end) => (name in METRICS ? end : '')))),
  ];
}

/** Every `label="value"` and `label=~"value|value"` in a text. */
function labelValuesIn(text: string, label: string): readonly string[] {
  return [...text.matchAll(new RegExp(`\\b${label}=~?"([^"$]*)"`, 'g'))].flatMap(([, values = '']) =>
    values.split('|'),
  );
}

t.test('alerts and dashboard ask for metrics that are defined', async (t) => {
  const ofProcess = new Scrape(await watchProcess()()).types;
  for (const [file, text] of Object.entries({ 'alerts.yml': ALERTS, 'dashboard.json': EXPRESSIONS.join('\n') })) {
    const metrics = metricsIn(text);
    t.ok(metrics.length >= 15, `${file}: ${metrics.length} metrics`);
    t.strictSame(
      metrics.filter((name) => !(name in METRICS) && !ofProcess.has(name)),
      [],
      file,
    );
    t.strictSame(
      labelValuesIn(text, 'reason').filter((reason) => !(reason in ERROR_CODES)),
      [],
      `${file}: reasons of refusals`,
    );
    const services = new Set(Object.values(METRICS).flatMap((one): readonly string[] => one.services));
    t.strictSame(
      labelValuesIn(text, 'job').filter((job) => !services.has(job)),
      [],
      `${file}: services`,
    );
  }
  const variables = DASHBOARD.templating.list.map(({ query }) => JSON.stringify(query)).join('\n');
  t.strictSame(metricsIn(variables), ['keyd_build_info']);
});

t.test('what an operator is to be woken for has an alert, each alert a case, and a line in the docs', (t) => {
  const alerts = [...ALERTS.matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name);
  const cases = [...read('alerts.test.yml').matchAll(/alertname: (\w+)[^-]*exp_alerts/g)].map(([, name = '']) => name);
  t.strictSame(
    alerts.filter((name) => !cases.includes(name)),
    [],
    'every alert fires in a case',
  );
  const operations = readFileSync('docs/operations.md', 'utf8');
  const told = [...operations.matchAll(/^\| `(Keyd\w+)` \|/gm)].map(([, name = '']) => name);
  t.strictSame(told.sort(), alerts.sort(), 'docs/operations.md tells of every alert');
  const asked = metricsIn(ALERTS);
  for (const [name, { type, help }] of Object.entries(METRICS)) {
    // What is 1 while something is wrong, or 0 while it is.
    const isAlarm = type === 'gauge' && /^(?:1 while .*(?:refused|nothing)|0 when )/.test(help);
    if (isAlarm) t.ok(asked.includes(name), `${name} has an alert`);
  }
  t.end();
});

t.test('the dashboard is one that Grafana can draw', (t) => {
  const ids = DASHBOARD.panels.map(({ id }) => id);
  t.equal(new Set(ids).size, ids.length, 'no id twice');
  for (const { title, targets = [] } of PANELS) t.ok(targets.length > 0, `${title} asks for something`);
  const cells = new Map<string, string>();
  for (const { title, gridPos } of DASHBOARD.panels) {
    t.ok(gridPos.x + gridPos.w <= 24, `${title} is within the page`);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
        const cell = `${String(x)},${String(y)}`;
        if (cells.has(cell)) t.fail(`${title} lies over ${cells.get(cell) ?? ''}`);
        cells.set(cell, title);
      }
    }
  }
  t.end();
});

t.test('promtool takes the rules and runs their cases', { skip: missing('promtool', '--version') }, async (t) => {
  const promtool = (...args: readonly string[]): Promise<unknown> => promisify(execFile)('promtool', args);
  await promtool('check', 'rules', join(FOLDER, 'alerts.yml'));
  await promtool('check', 'config', join(FOLDER, 'prometheus.yml'));
  await promtool('test', 'rules', join(FOLDER, 'alerts.test.yml'));
  // What the dashboard asks for is read by the same parser, as rules that record it.
  const rules = EXPRESSIONS.map((expr, i) => `  - {record: "panel:${String(i)}", expr: ${JSON.stringify(expr)}}`);
  const file = join(t.testdir(), 'panels.yml');
  writeFileSync(file, `groups:\n- name: panels\n  rules:\n${rules.join('\n')}\n`);
  await promtool('check', 'rules', file);
  const wrong = join(t.testdir(), 'wrong.yml');
  writeFileSync(wrong, ALERTS.replace('} == 0', '} =='));
  await t.rejects(promtool('check', 'rules', wrong), 'and it refuses what is none');
});
