import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import t from 'tap';
import { apiDocuments } from '../api/documents.js';
import { apiFileOf, apiText } from './api-files.js';
import { GENERATED, withGenerated } from './generated-tables.js';
import { markdownFiles } from './markdown-files.js';

const THREAT_PARTS = ['What leaks.', 'For which window.', 'How it is revoked.', 'What stays good.', 'Shown by.'];

const files = markdownFiles(process.cwd()).map((path) => ({ path, text: readFileSync(path, 'utf8') }));

t.test('generated tables are what the code says (npm run docs makes them anew)', (t) => {
  for (const { path, text } of files) t.equal(withGenerated(text), text, relative(process.cwd(), path));
  const all = files.map(({ text }) => text).join('');
  for (const name of Object.keys(GENERATED)) t.match(all, `<!-- generated: ${name} -->`, `${name} stands somewhere`);
  t.end();
});

t.test('docs/api is what the routes say (npm run docs makes it anew)', async (t) => {
  const all = await apiDocuments();
  for (const [service, document] of all) {
    const file = apiFileOf(service);
    t.ok(existsSync(file) && readFileSync(file, 'utf8') === apiText(document), `${file} is fresh`);
  }
  t.strictSame(readdirSync('docs/api').sort(), [...all.keys()].map((service) => `${service}.json`).sort());
});

t.test('links within the project lead somewhere', (t) => {
  for (const { path, text } of files) {
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:|^#/.test(target)) continue;
      const file = join(dirname(path), target.split('#')[0] ?? '');
      t.ok(existsSync(file), `${relative(process.cwd(), path)} links to ${target}`);
    }
  }
  t.end();
});

t.test('every class of attack in docs/security.md has its test file, and every file its class', (t) => {
  const security = files.find(({ path }) => path.endsWith('security.md'))?.text ?? '';
  const classes = /## Attack classes\n([\s\S]*?)\n## /.exec(security)?.[1]?.split('\n### ').slice(1) ?? [];
  const named = classes.map((text) => {
    const [, file = 'none'] =
      /^Tests: \[[^\]]*\]\(\.\.\/test\/src\/attacks\/([a-z0-9-]+\.test\.ts)\)$/m.exec(text) ?? [];
    for (const part of ['*What others got wrong.*', '*The answer.*']) t.match(text, part, text.slice(0, 40));
    return file;
  });
  const present = readdirSync('test/src/attacks').filter((name) => name.endsWith('.test.ts'));
  t.strictSame(named.sort(), present.sort());
  t.end();
});

t.test('every element of docs/threat-model.md says all of it, and names test files that are there', (t) => {
  const model = files.find(({ path }) => path.endsWith('threat-model.md'))?.text ?? '';
  const elements = /## Elements\n([\s\S]*?)\n## /.exec(model)?.[1]?.split('\n### ').slice(1) ?? [];
  t.ok(elements.length >= 15, `${elements.length} elements`);
  const tracked = new Set(execFileSync('git', ['ls-files', 'test/src'], { encoding: 'utf8' }).split('\n'));
  for (const element of elements) {
    const [name = ''] = element.split('\n');
    const parts = [...element.matchAll(/^- \*\*(.*?)\*\* \S/gm)].map(([, part]) => part);
    t.strictSame(parts, THREAT_PARTS, name);
    const [, shownBy = ''] = element.split('**Shown by.**');
    const tests = [...shownBy.matchAll(/\]\(\.\.\/([^)]+)\)/g)].map(([, path = '']) => path);
    t.ok(tests.length > 0, `${name}: tests`);
    for (const path of tests) t.ok(path.endsWith('.test.ts') && tracked.has(path), `${name}: ${path}`);
  }
  t.end();
});

t.test('npm scripts that the docs name exist', (t) => {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  for (const { path, text } of files) {
    for (const [, script = ''] of text.matchAll(/\bnpm run (?:--silent )?([a-z:-]+)/g)) {
      t.ok(script in manifest.scripts, `${relative(process.cwd(), path)}: npm run ${script}`);
    }
  }
  t.end();
});
