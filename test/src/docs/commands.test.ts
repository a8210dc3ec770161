import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { PassThrough } from 'node:stream';
import { createProgram } from '@sigv4-keyd/keydctl';
import t from 'tap';
import { markdownFiles } from './markdown-files.js';

const root = process.cwd();
const pages = markdownFiles(root).map((path) => ({
  path,
  page: relative(root, path),
  text: readFileSync(path, 'utf8'),
}));

const program = createProgram({
  env: {},
  input: new PassThrough(),
  output: new PassThrough(),
  errorOutput: new PassThrough(),
  isTerminal: { input: false, output: false, errorOutput: false },
  now: () => 0,
  interruption: () => new AbortController().signal,
});
type Command = typeof program;

/** What the pages show as typed: lines of code blocks, whole where they go on over several, and text set as code. */
function typedIn(text: string): readonly string[] {
  const blocks = [...text.matchAll(/^ *```[a-z]*\n([\s\S]*?)^ *```|(?:^(?: {4,})\S.*\n)+/gm)].map(
    ([whole, inside]) => inside ?? whole,
  );
  const lines = blocks.flatMap((block) => block.replaceAll(/\\\n\s*/g, ' ').split('\n'));
  const spans = [...text.replaceAll(/```[\s\S]*?```/g, '').matchAll(/`([^`]+)`/g)].map(([, span = '']) => span);
  return [...lines, ...spans.map((span) => span.replaceAll('\n', ' '))];
}

/** The words behind keydctl, as far as one command goes. */
function keydctlIn(typed: string): readonly (readonly string[])[] {
  return [...typed.matchAll(/(?:^|[\s$(])keydctl (?:-- )?([^|;>#&)]*)/g)].map(([, rest = '']) =>
    rest.trim().split(/\s+/).filter(Boolean),
  );
}

function problemOf(words: readonly string[]): string | undefined {
  let at: Command = program;
  let rest = words;
  for (let [word = ''] = rest; at.commands.length > 0; [word = ''] = rest) {
    if (/^(?:|--help|--version|--json|\.\.\.|…|<?[A-Z-]+>?)$/.test(word)) return undefined;
    const names = word.replace(/[.,:]$/, '').split(/[|/]/);
    const found = names.map((name) => at.commands.find((command) => command.name() === name));
    const [first] = found;
    if (first === undefined || found.includes(undefined)) return `there is no "${word}" in ${at.name()}`;
    at = first;
    rest = rest.slice(1);
  }
  const given = rest.filter((word) => /^\[?--[a-z]/.test(word)).map((word) => /--[a-z0-9-]+/.exec(word)?.[0] ?? '');
  const known = new Set([...at.options.map(({ long }) => long ?? ''), '--help']);
  const strange = given.find((flag) => !known.has(flag));
  return strange && `${at.name()} has no ${strange}`;
}

t.test('every keydctl command of the pages is one, with the options that it has', (t) => {
  let seen = 0;
  for (const { page, text } of pages) {
    for (const typed of typedIn(text)) {
      for (const words of keydctlIn(typed)) {
        seen += 1;
        t.equal(problemOf(words), undefined, `${page}: keydctl ${words.join(' ')}`);
      }
    }
  }
  t.ok(seen > 100, `${seen} commands`);
  for (const wrong of ['pki reneww', 'revocation', 'status --jsonn', 'deputy grant d1 --form 2026-11-22']) {
    t.equal(typeof problemOf(wrong.split(' ')), wrong === 'revocation' ? 'undefined' : 'string', wrong);
  }
  t.end();
});

t.test('every setting that the pages name is read somewhere', (t) => {
  const known = new Set<string>();
  const generated = pages.flatMap(({ text }) => [...text.matchAll(/^\| `(KEYD_[A-Z0-9_]+)`/gm)]);
  for (const [, name = ''] of generated) known.add(name);
  const ofTests = readdirSync('test/src', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  for (const file of [
    'docker-compose.yml',
    'deploy/compose/example.env',
    ...ofTests.map((name) => `test/src/${name}`),
  ]) {
    for (const [name] of readFileSync(file, 'utf8').matchAll(/KEYD_[A-Z0-9_]+/g)) known.add(name);
  }
  for (const command of allCommands(program)) {
    for (const { description } of command.options) {
      for (const [name] of description.matchAll(/KEYD_[A-Z0-9_]+/g)) known.add(name);
    }
  }
  t.ok(known.size > 80, `${known.size} settings`);
  for (const { page, text } of pages) {
    for (const [name] of text.matchAll(/\bKEYD_[A-Z0-9]+(?:_[A-Z0-9]+)*\b(?!_)/g)) {
      const isKnown = known.has(name) || known.has(name.replace(/_FILE$/, '')) || known.has(`${name}_FILE`);
      t.ok(isKnown, `${page}: ${name}`);
    }
  }
  t.end();
});

t.test('every test that the pages name is there', (t) => {
  let seen = 0;
  for (const { page, text } of pages) {
    for (const [whole, folder = '', name = ''] of text.matchAll(
      /\btest\/dist\/([a-z0-9-]+)\/([a-z0-9*-]+)\.test\.js/g,
    )) {
      seen += 1;
      t.ok(existsSync(join('test/src', folder, name === '*' ? '' : `${name}.test.ts`)), `${page}: ${whole}`);
    }
  }
  t.ok(seen > 3);
  t.end();
});

t.test('links to a heading lead to one', (t) => {
  const headings = new Map(pages.map(({ path, text }) => [path, headingsOf(text)]));
  for (const { path, page, text } of pages) {
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      const [file = '', heading] = target.split('#');
      if (heading === undefined || /^[a-z]+:/.test(target)) continue;
      const known = headings.get(file === '' ? path : join(dirname(path), file));
      t.ok(known?.has(heading) ?? !file.endsWith('.md'), `${page} links to ${target}`);
    }
  }
  t.end();
});

function allCommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap((inner) => allCommands(inner))];
}

/** As the sites that show Markdown name them. */
function headingsOf(text: string): ReadonlySet<string> {
  const headings = [...text.replaceAll(/^ *```[\s\S]*?^ *```/gm, '').matchAll(/^#{1,6} (.+)$/gm)];
  return new Set(
    headings.map(([, heading = '']) =>
      heading
        .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}
