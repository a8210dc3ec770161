import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { createLogger, isoTimes, LogLines } from '@sigv4-keyd/service-skeleton';
import t from 'tap';

// Some tests start processes.
t.setTimeout(170_000);

const NAMES = [
  'authorization',
  'secretAccessKey',
  'secret',
  'key',
  'keys',
  'signature',
  'password',
  'connectionString',
  'sessionToken',
  'x-amz-security-token',
];
const SECRET = 'what must not come out';
const WITHHELD = '[not logged]';

/** What one call writes, read back. */
function logged(write: (log: ReturnType<typeof createLogger>) => void): Record<string, unknown> {
  const lines: string[] = [];
  const destination = { write: (line: string) => lines.push(line) };
  write(createLogger({ service: 'test', level: 'trace', destination }));
  const [line = ''] = lines;
  const parsed: unknown = JSON.parse(line);
  if (typeof parsed !== 'object' || parsed === null) throw new TypeError('a line is an object');
  return { ...parsed };
}

class Held {
  readonly secret = SECRET;
  readonly name = 'a class of its own';
}

class Written {
  readonly #value = SECRET;

  toJSON(): object {
    return { name: 'it writes itself', key: this.#value };
  }
}

t.test('nothing under these names comes out, wherever it stands', (t) => {
  for (const name of NAMES) {
    const places: Readonly<Record<string, object>> = {
      'at the top': { [name]: SECRET },
      'one below': { inner: { [name]: SECRET } },
      'two below': { inner: { more: { [name]: SECRET } } },
      'three below': { inner: { more: { still: { [name]: SECRET } } } },
      'in a list': { list: [{ [name]: SECRET }] },
      'as an object': { [name]: { text: SECRET } },
      'at an error': { err: Object.assign(new Error('no'), { [name]: SECRET }) },
      'at an error of another name': { failure: Object.assign(new Error('no'), { [name]: SECRET }) },
      'below an error': { err: Object.assign(new Error('no'), { detail: { [name]: SECRET } }) },
      'at a cause': { err: new Error('no', { cause: Object.assign(new Error('why'), { [name]: SECRET }) }) },
    };
    for (const [place, line] of Object.entries(places)) {
      t.notMatch(JSON.stringify(logged((log) => log.info(line, 'a line'))), SECRET, `${name}, ${place}`);
    }
    t.equal(logged((log) => log.child({ [name]: SECRET }).info('a line'))[name], WITHHELD, `${name}, of a child`);
  }
  t.match(
    logged((log) => log.info({ held: new Held() })),
    { held: { secret: WITHHELD, name: 'a class of its own' } },
  );
  t.match(
    logged((log) => log.info({ written: new Written() })),
    { written: { key: WITHHELD, name: 'it writes itself' } },
  );
  t.end();
});

t.test('everything else does', (t) => {
  const line = { event: 'an-event', count: 3, list: ['one', { two: 2 }], at: new Date(0), none: null, no: undefined };
  t.match(
    logged((log) => log.warn(line, 'in words')),
    {
      level: 'warn',
      service: 'test',
      event: 'an-event',
      count: 3,
      list: ['one', { two: 2 }],
      at: '1970-01-01T00:00:00.000Z',
      none: null,
      msg: 'in words',
    },
  );
  const told = logged((log) => log.error({ err: Object.assign(new TypeError('no'), { code: 'ENO' }) }));
  t.match(told, { msg: 'no', err: { type: 'TypeError', message: 'no', code: 'ENO', stack: /TypeError: no/ } });
  t.end();
});

t.test('an object without an end is cut, and the line comes out', (t) => {
  const circle: Record<string, unknown> = { name: 'round' };
  circle['again'] = circle;
  t.match(
    logged((log) => log.info({ circle })),
    { circle: { name: 'round', again: { name: 'round' } } },
  );
  const wide = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`n${n}`, { n }]));
  t.match(
    logged((log) => log.info({ wide })),
    { wide: { n0: { n: 0 }, n9999: WITHHELD } },
  );
  t.end();
});

t.test('each time is written as what it is, the last one being kept', (t) => {
  const isoTime = isoTimes();
  const times = [0, 1, 1, 0, 951_782_400_000, 951_782_400_000, -1];
  t.same(
    times.map(isoTime),
    times.map((each) => new Date(each).toISOString()),
  );
  t.throws(() => isoTime(Number.NaN), RangeError);
  t.equal(isoTime(-1), '1969-12-31T23:59:59.999Z', 'what is no time leaves nothing behind');
  t.end();
});

/** What is on standard output of a program that has ended, however it came to its end. */
async function outputOf(program: string): Promise<{ readonly lines: readonly string[]; readonly end: unknown }> {
  const imports = `import { createLogger, LogLines, linesOfProcess } from '@sigv4-keyd/service-skeleton';`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', `${imports}\n${program}`], {
    cwd: new URL('../../', import.meta.url),
    env: { PATH: process.env['PATH'] ?? '' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const gone = once(child, 'exit');
  const written = await text(child.stdout);
  await gone;
  const lines = [...written.matchAll(/"msg":"([^"]*)"/g)].map(([, line = '']) => line);
  return { lines, end: child.signalCode ?? child.exitCode };
}

const DIE = `process.kill(process.pid, 'SIGKILL');`;

t.test(
  'a line is written when the call returns: the death of the process right after it changes nothing',
  async (t) => {
    const alone = `createLogger({ service: 'test', level: 'info' }).info('the last words'); ${DIE}`;
    t.same(await outputOf(alone), { lines: ['the last words'], end: 'SIGKILL' });
  },
);

const GATHERING = `
  const lines = linesOfProcess();
  const log = createLogger({ service: 'test', level: 'info', destination: lines });
  const gather = (line, then = () => undefined) => lines.gather(() => log.info(line), then);
`;

t.test('whoever waits for a line goes on behind it, and behind all others of the turn', async (t) => {
  const program = `${GATHERING} gather('one', () => { ${DIE} }); gather('two'); gather('three');`;
  t.same(await outputOf(program), { lines: ['one', 'two', 'three'], end: 'SIGKILL' });
});

t.test('lines that nobody waits for are written at once, with those before them', async (t) => {
  const program = `${GATHERING} gather('one'); gather('two'); log.warn('three'); gather('four'); ${DIE}`;
  t.same(await outputOf(program), { lines: ['one', 'two', 'three'], end: 'SIGKILL' });
});

t.test('what was gathered is written when the process exits, by itself or for an error', async (t) => {
  t.same(await outputOf(`${GATHERING} gather('one'); process.exit(3);`), { lines: ['one'], end: 3 });
  t.same(await outputOf(`${GATHERING} gather('one'); throw new Error('no');`), { lines: ['one'], end: 1 });
});

t.test('where a line cannot be written, nobody goes on', async (t) => {
  const program = `
    const full = { write() { throw new Error('no space left'); } };
    const lines = new LogLines(full);
    const log = createLogger({ service: 'test', level: 'info', destination: lines });
    const said = createLogger({ service: 'test', level: 'info' });
    lines.gather(() => log.info('one'), () => said.info('went on'));
    said.info('begun');
  `;
  t.same(await outputOf(program), { lines: ['begun'], end: 1 });
});

t.test('all that one turn gathers is one write, and each turn has its own', async (t) => {
  const writes: string[] = [];
  const lines = new LogLines({ write: (written) => void writes.push(written) });
  const written = (...words: readonly string[]): Promise<unknown> =>
    Promise.all(
      words.map((word) => new Promise<void>((resolve) => lines.gather(() => lines.write(`${word}\n`), resolve))),
    );
  await written('one', 'two');
  await written('three');
  t.same(writes, ['one\ntwo\n', 'three\n']);
  t.throws(() =>
    lines.gather(
      () => {
        throw new Error('what logs may fail');
      },
      () => undefined,
    ),
  );
  lines.write('four\n');
  t.same(writes.at(-1), 'four\n', 'lines that nobody waits for are not kept for the end of the turn');
});
