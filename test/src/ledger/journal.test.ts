import { issuanceRecordForm, JournalError, openJournal, type Journal, type RecordForm } from '@sigv4-keyd/ledger';
import fc from 'fast-check';
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { open as openFile, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { laterRefusalOf } from './refusal.js';

const APPENDER = fileURLToPath(new URL('appender.js', import.meta.url));
const textForm: RecordForm<string> = { encode: (record) => record, decode: (text) => text };
const SMALL = 1000;

t.test('appends are numbered, read back, and survive reopening', async (t) => {
  const folder = join(t.testdir(), 'deep', 'journal');
  const journal = await open(t, folder);
  t.same(await texts(journal), []);
  const hashes: string[] = [];
  for (let seq = 1; seq <= 30; seq += 1) {
    const position = await journal.append(`record ${seq} ü`);
    t.equal(position.seq, seq);
    hashes.push(position.hash);
  }
  t.ok(segmentsOf(folder).length > 2, 'over several segments');
  t.equal(statSync(folder).mode & 0o777, 0o700);
  t.equal(statSync(join(folder, '..')).mode & 0o777, 0o700);
  for (const name of segmentsOf(folder)) t.equal(statSync(join(folder, name)).mode & 0o777, 0o600);
  await journal.close();
  t.equal(await laterRefusalOf(() => journal.append('late')), 'closed');
  t.equal(await laterRefusalOf(() => journal.markUploaded(1)), 'closed');

  const again = await open(t, folder);
  t.equal(again.id, journal.id);
  t.same(again.end, { seq: 30, hash: hashes[29] });
  t.equal(again.torn, undefined);
  const entries = await entriesOf(again);
  t.same(
    entries.map(({ hash }) => hash),
    hashes,
  );
  t.same(
    entries.map(({ record }) => record),
    Array.from({ length: 30 }, (_, index) => `record ${index + 1} ü`),
  );
  t.same(
    (await entriesOf(again, 28)).map(({ seq }) => seq),
    [28, 29, 30],
  );
  t.same(await entriesOf(again, 31), [], 'the next one is not there yet');
  for (const seq of [0, -1, 32, NaN])
    t.equal(await laterRefusalOf(() => entriesOf(again, seq)), 'not-recorded', String(seq));
});

t.test('only what is durable is acknowledged, and what waits shares one sync', async (t) => {
  const disk = new SlowDisk();
  const journal = await open(t, t.testdir(), { makeDurable: disk.makeDurable });
  let acknowledged = 0;
  const append = (text: string): Promise<unknown> => journal.append(text).then(() => (acknowledged += 1));
  const first = append('first');
  await disk.asked(1);
  await manyTurns();
  const others = Array.from({ length: 500 }, (_, index) => append(`other ${index}`));
  t.equal(acknowledged, 0, 'written, but not durable');
  t.equal(journal.end.seq, 0);
  t.same(await texts(journal), [], 'nor is it read');
  disk.finish();
  await first;
  await disk.asked(2);
  t.equal(acknowledged, 1);
  disk.finish();
  await Promise.all(others);
  t.equal(disk.syncs, 2, '501 appends, two syncs');
  t.equal((await texts(journal)).length, 501);
});

t.test('by default records are synced, and so is every folder on the way', async (t) => {
  const calls = await watchSyncs(t);
  const folder = join(t.testdir(), 'new', 'journal');
  const journal = await open(t, folder);
  t.ok(calls.filter((call) => call === 'sync').length >= 6, 'two parents, mark, segment, and the folder after each');
  t.ok(calls.includes('datasync'), 'what a killed writer may have left to the kernel');
  const before = calls.length;
  await journal.append('record');
  t.same(calls.slice(before), ['datasync']);
  await journal.markUploaded(1);
  t.same(calls.slice(before), ['datasync', 'datasync']);
});

t.test('uploading: from where it stopped, also after a restart, and old segments go', async (t) => {
  const folder = t.testdir();
  let journal = await open(t, folder);
  for (let seq = 1; seq <= 60; seq += 1) await journal.append(`record ${seq}`);
  const all = await entriesOf(journal);
  const before = segmentsOf(folder).length;
  await Promise.all([journal.markUploaded(20), journal.markUploaded(35), journal.markUploaded(10)]);
  t.equal(journal.uploaded.seq, 35);
  t.ok(segmentsOf(folder).length < before, 'segments were removed');
  t.equal(await laterRefusalOf(() => entriesOf(journal, 1)), 'not-recorded', 'and what was in them');
  t.equal(await laterRefusalOf(() => journal.markUploaded(61)), 'not-recorded');
  await journal.close();
  journal = await open(t, folder);
  t.same(journal.uploaded, { seq: 35, hash: all[34]!.hash });
  t.same(await entriesOf(journal, 36), all.slice(35));
  await journal.markUploaded(60);
  t.equal(segmentsOf(folder).length, 1, 'the one that is written stays');
  t.equal((await journal.append('record 61')).seq, 61);
  await journal.close();
  journal = await open(t, folder);
  t.same(await texts(journal, 61), ['record 61']);
});

t.test('appending, reading and marking at the same time', async (t) => {
  const folder = t.testdir();
  const journal = await open(t, folder);
  const appending = Array.from({ length: 6 }, async (_, writer) => {
    for (let count = 0; count < 60; count += 1) await journal.append(`writer ${writer} count ${count}`);
  });
  const uploaded: string[] = [];
  const uploading = async (): Promise<void> => {
    while (uploaded.length < 360) {
      for await (const { seq, record } of journal.readFrom(uploaded.length + 1)) {
        uploaded.push(record);
        if (seq !== uploaded.length) throw new Error(`record ${seq} came as number ${uploaded.length}`);
        if (seq % 7 === 0) await journal.markUploaded(seq);
      }
      await new Promise(setImmediate);
    }
  };
  await Promise.all([...appending, uploading()]);
  t.equal(new Set(uploaded).size, 360);
  await journal.close();
  const again = await open(t, folder);
  t.equal(again.end.seq, 360);
  t.equal(again.uploaded.seq, 357);
  t.equal((await entriesOf(again, 358)).length, 3);
});

t.test('kill -9: whatever was acknowledged is there', { timeout: 120_000 }, async (t) => {
  const folder = t.testdir();
  const known = new Map<number, string>();
  let uploaded = 0;
  for (let round = 1; round <= 5; round += 1) {
    const child = spawn(process.execPath, [APPENDER, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    let left = 40 + round * 67;
    for await (const line of createInterface(child.stdout)) {
      const [what, seq, hash] = line.split(' ');
      if (what === 'acknowledged') known.set(Number(seq), hash!);
      if (what === 'uploaded') uploaded = Math.max(uploaded, Number(seq));
      left -= 1;
      // What is still in the pipe was said before the kill, and counts: the loop goes on to its end.
      if (left === 0) child.kill('SIGKILL');
    }
    await exited;
    t.equal(child.signalCode, 'SIGKILL');
    const journal = await openJournal({ folder, form: textForm, segmentBytes: 4096 });
    const entries = await entriesOf(journal, journal.uploaded.seq + 1);
    await journal.close();
    const found = new Map(entries.map(({ seq, hash }) => [seq, hash]));
    const wanted = [...known].filter(([seq]) => seq > journal.uploaded.seq);
    const lost = wanted.filter(([seq, hash]) => found.get(seq) !== hash);
    t.same(lost, [], `round ${round}: ${wanted.length} acknowledged are there, ${known.size} in all`);
    t.ok(journal.uploaded.seq >= uploaded, 'what was marked stays marked');
    t.ok(journal.end.seq >= Math.max(...known.keys()));
  }
});

t.test('a torn last record is cut off and told', async (t) => {
  const folder = await written(t.testdir(), 12);
  const file = segmentsOf(folder).at(-1)!;
  const whole = readFileSync(join(folder, file));
  const lastLine = whole.lastIndexOf('\n', whole.length - 2) + 1;
  for (let length = lastLine + 1; length < whole.length; length += 1) {
    writeFileSync(join(folder, file), whole.subarray(0, length));
    const journal = await open(t, folder);
    const expected = { seq: 11, torn: { file, offset: lastLine, bytes: length - lastLine } };
    const actual = { seq: journal.end.seq, torn: journal.torn };
    if (!t.same(actual, expected, `cut at ${length}`)) break;
    await journal.close();
    if (!t.equal(statSync(join(folder, file)).size, lastLine)) break;
  }
  const journal = await open(t, folder);
  t.equal(journal.torn, undefined, 'told once');
  t.equal((await journal.append('record 12 anew')).seq, 12);
  t.same((await texts(journal)).slice(-2), ['record 11', 'record 12 anew']);
});

t.test('every flipped bit is refused, with file and offset, and nothing is changed', async (t) => {
  const folder = await written(t.testdir(), 20);
  const files = segmentsOf(folder);
  t.equal(files.length, 2);
  const property = fc.asyncProperty(fc.constantFrom(...files), fc.nat(), fc.nat(7), async (file, anyByte, bit) => {
    const path = join(folder, file);
    const whole = readFileSync(path);
    const offset = anyByte % whole.length;
    const changed = Buffer.from(whole);
    changed[offset]! ^= 1 << bit;
    // Without its line break the last record looks torn, which no reader can tell apart.
    if (file === files.at(-1) && offset === whole.length - 1) return;
    writeFileSync(path, changed);
    try {
      await openJournal({ folder, form: textForm });
      throw new Error(`accepted: ${file}, byte ${offset}, bit ${bit}`);
    } catch (error) {
      if (
        !(error instanceof JournalError) ||
        !['corrupt', 'segment-out-of-place', 'records-missing'].includes(error.code)
      ) {
        throw error;
      }
      if (
        error.code === 'corrupt' &&
        (error.file === undefined || error.offset === undefined || error.offset > offset)
      ) {
        throw new Error(`told at ${error.file} byte ${error.offset}`, { cause: error });
      }
      if (!readFileSync(path).equals(changed)) throw new Error('changed on disk', { cause: error });
    } finally {
      writeFileSync(path, whole);
    }
  });
  await t.resolves(fc.assert(property, { numRuns: 200 }));
  t.equal((await open(t, folder)).end.seq, 20);
});

t.test('tampering with files', async (t) => {
  const line = (folder: string, file: string, number: number): [Buffer, number, number] => {
    const bytes = readFileSync(join(folder, file));
    let start = 0;
    for (let count = 0; count < number; count += 1) start = bytes.indexOf('\n', start) + 1;
    return [bytes, start, bytes.indexOf('\n', start) + 1];
  };
  const table: readonly (readonly [string, string, (folder: string, files: readonly string[]) => void])[] = [
    ['untouched', 'accepted', () => undefined],
    ['the first segment removed', 'records-missing', (folder, [first]) => rmSync(join(folder, first!))],
    ['a middle segment removed', 'records-missing', (folder, [, second]) => rmSync(join(folder, second!))],
    [
      'every segment removed',
      'records-missing',
      (folder, files) => files.forEach((file) => rmSync(join(folder, file))),
    ],
    [
      'cut back behind what was uploaded',
      'records-missing',
      (folder, [first, ...others]) => {
        others.forEach((file) => rmSync(join(folder, file)));
        truncateSync(join(folder, first!), line(folder, first!, 2)[1]);
      },
    ],
    [
      'a middle segment cut in a line',
      'corrupt',
      (folder, [, second]) => truncateSync(join(folder, second!), statSync(join(folder, second!)).size - 5),
    ],
    [
      'a middle segment cut between lines',
      'records-missing',
      (folder, [, second]) => truncateSync(join(folder, second!), line(folder, second!, 3)[1]),
    ],
    [
      'a segment copied as the next one',
      'segment-out-of-place',
      (folder, files) => copyFileSync(join(folder, files.at(-1)!), join(folder, 'journal-0000000000000099.log')),
    ],
    [
      'a segment copied beside',
      'segment-out-of-place',
      (folder, [first]) => copyFileSync(join(folder, first!), join(folder, 'journal-0000000000000001 copy.log')),
    ],
    [
      'two segments swapped',
      'segment-out-of-place',
      (folder, [first, second]) => {
        renameSync(join(folder, first!), join(folder, 'aside'));
        renameSync(join(folder, second!), join(folder, first!));
        renameSync(join(folder, 'aside'), join(folder, second!));
      },
    ],
    [
      'a record removed',
      'corrupt',
      (folder, [, second]) => {
        const [bytes, start, end] = line(folder, second!, 2);
        writeFileSync(join(folder, second!), Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]));
      },
    ],
    [
      'a record doubled',
      'corrupt',
      (folder, [, second]) => {
        const [bytes, start, end] = line(folder, second!, 2);
        writeFileSync(join(folder, second!), Buffer.concat([bytes.subarray(0, end), bytes.subarray(start)]));
      },
    ],
    ['an empty segment', 'corrupt', (folder, files) => writeFileSync(join(folder, files.at(-1)!), '')],
    [
      'noise in place of a segment',
      'corrupt',
      (folder, [first]) => writeFileSync(join(folder, first!), randomBytes(100_000)),
    ],
    [
      'more at the end than a record can be',
      'corrupt',
      (folder, files) => appendFileSync(join(folder, files.at(-1)!), Buffer.alloc(9_000_000)),
    ],
    [
      'an unfinished new segment',
      'accepted',
      (folder) => writeFileSync(join(folder, 'journal-unfinished.new'), 'sigv4'),
    ],
    ['the mark removed', 'mark-damaged', (folder) => rmSync(join(folder, 'uploaded'))],
    ['the mark emptied', 'mark-damaged', (folder) => truncateSync(join(folder, 'uploaded'))],
    ['the older slot of the mark torn', 'accepted', (folder) => spoil(join(folder, 'uploaded'), 3)],
    [
      'both slots of the mark torn',
      'mark-damaged',
      (folder) => [3, 4099].forEach((at) => spoil(join(folder, 'uploaded'), at)),
    ],
    [
      'the mark of another journal',
      'mark-damaged',
      (folder) => copyFileSync(join(other, 'uploaded'), join(folder, 'uploaded')),
    ],
    [
      'a segment of another journal',
      'corrupt',
      (folder, files) => copyFileSync(join(other, files.at(-1)!), join(folder, files.at(-1)!)),
    ],
  ];
  const settings = { uploaded: 12, segmentBytes: 500 };
  const fixtures = t.testdir();
  const other = await written(join(fixtures, 'other'), 40, settings);
  for (const [what, code, tamper] of table) {
    const folder = await written(join(fixtures, 'tampered'), 40, settings);
    const files = segmentsOf(folder);
    t.ok(files.length >= 4 && files[0] !== 'journal-0000000000000001.log', 'several segments, the oldest removed');
    tamper(folder, files);
    t.equal(await laterRefusalOf(async () => (await openJournal({ folder, form: textForm })).close()), code, what);
    rmSync(folder, { recursive: true });
  }
});

t.test('a mark torn while it is written: uploaded again from the one before', async (t) => {
  const folder = await written(t.testdir(), 5, { uploaded: 2 });
  spoil(join(folder, 'uploaded'), 4099);
  const journal = await open(t, folder);
  t.equal(journal.uploaded.seq, 0);
  await journal.markUploaded(3);
  await journal.markUploaded(4);
  await journal.close();
  t.equal((await open(t, folder)).uploaded.seq, 4);
});

t.test('a second writer is refused, a dead one is not in the way', { timeout: 60_000 }, async (t) => {
  const folder = t.testdir();
  const child = spawn(process.execPath, [APPENDER, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines = createInterface(child.stdout);
  await once(lines, 'line');
  await t.rejects(openJournal({ folder, form: textForm }), {
    code: 'locked',
    message: new RegExp(`process ${child.pid}\\b`),
  });
  child.kill('SIGSTOP');
  t.equal(await laterRefusalOf(() => openJournal({ folder, form: textForm })), 'locked', 'nor while it is stopped');
  child.kill('SIGKILL');
  await exited;
  t.equal(socketsOf(folder).length, 1, 'a lock is left behind');
  const journal = await open(t, folder);
  t.equal(await laterRefusalOf(() => openJournal({ folder, form: textForm })), 'locked', 'in the same process');
  t.equal((await journal.append('goes on')).seq, journal.end.seq);
  await journal.close();
  t.same(socketsOf(folder), []);

  const racing = await Promise.allSettled(Array.from({ length: 5 }, () => openJournal({ folder, form: textForm })));
  const winners = racing.filter((outcome) => outcome.status === 'fulfilled');
  t.ok(winners.length <= 1, 'of five at once at most one');
  for (const { value } of winners) await value.close();
  await (await open(t, folder)).close();
});

t.test('a disk that fails', async (t) => {
  const disk = new FailingDisk();
  const folder = t.testdir();
  const journal = await open(t, folder, { makeDurable: disk.makeDurable });
  await journal.append('kept');
  disk.failNext('EIO');
  const outcomes = await Promise.all([1, 2, 3].map((n) => laterRefusalOf(() => journal.append(`lost ${n}`))));
  t.same(outcomes, ['write-failed', 'write-failed', 'write-failed'], 'everything of the batch');
  t.equal(await laterRefusalOf(() => journal.append('after')), 'write-failed', 'a later sync proves nothing any more');
  t.same(await texts(journal), ['kept']);
  await journal.close();
  const again = await open(t, folder, { makeDurable: disk.makeDurable });
  t.same(await texts(again), ['kept']);
  disk.failNext('ENOSPC');
  t.equal(await laterRefusalOf(() => again.append('no room')), 'disk-full');
  t.equal((await again.append('room')).seq, 2);
  t.same(await texts(again), ['kept', 'room']);
});

t.test('what found no room is cut off again, before anybody is told', async (t) => {
  const disk = new FailingDisk();
  const folder = t.testdir({ journal: {}, copy: {} });
  const inside = join(folder, 'journal');
  const journal = await open(t, inside, { makeDurable: disk.makeDurable });
  await journal.append('kept');
  const segment = (): Buffer => readFileSync(join(inside, segmentsOf(inside).at(-1) ?? ''));
  const before = segment();
  disk.failNext('ENOSPC');
  const long = Array.from({ length: 3 }, (_, n) =>
    laterRefusalOf(() => journal.append(`no room ${n} ${'x'.repeat(99)}`)),
  );
  t.same(await Promise.all(long), ['disk-full', 'disk-full', 'disk-full']);
  t.strictSame(segment(), before, 'whole records were written, and are gone');
  // What a process finds that starts after this one was killed here.
  const copy = join(folder, 'copy');
  for (const file of readdirSync(inside))
    if (!file.endsWith('.sock')) copyFileSync(join(inside, file), join(copy, file));
  const found = await open(t, copy);
  t.same(await texts(found), ['kept']);
  t.equal(found.torn, undefined);
  t.equal((await journal.append('short')).seq, 2);
  await journal.close();
  const again = await open(t, inside, { makeDurable: disk.makeDurable });
  t.equal(again.torn, undefined, 'nothing of the long ones is behind the short one');
  t.same(await texts(again), ['kept', 'short']);

  disk.failNext('ENOSPC', 'EIO');
  t.equal(await laterRefusalOf(() => again.append('no room')), 'disk-full');
  t.equal(
    await laterRefusalOf(() => again.append('after')),
    'write-failed',
    'not known to be cut off: nothing is added',
  );
});

t.test('a disk that is full', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'full-disk-'));
  // The last registered runs first: the journals are closed, then the disk goes, then its folder.
  t.teardown(() => rmSync(folder, { recursive: true }));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=96k', 'none', folder], { stdio: 'ignore' });
  } catch {
    t.pass('NOT TESTED: a real full disk', { skip: 'this user may not mount a tmpfs' });
    return;
  }
  t.teardown(() => execFileSync('umount', [folder]));
  const inside = join(folder, 'journal');
  const journal = await open(t, inside, { segmentBytes: 30_000 });
  const kept: string[] = [];
  const fill = async (): Promise<string> => {
    for (let count = 0; count < 200; count += 1) {
      const text = `${kept.length} ${'x'.repeat(1500)}`;
      const outcome = await laterRefusalOf(() => journal.append(text));
      if (outcome !== 'accepted') return outcome;
      kept.push(text);
    }
    return 'never full';
  };
  t.equal(await fill(), 'disk-full');
  t.equal(await fill(), 'disk-full', 'and again');
  t.same(await texts(journal), kept, 'nothing half-written is read');
  t.equal((await journal.append('small')).seq, kept.length + 1, 'a small one still fits');
  kept.push('small');
  t.equal(await fill(), 'disk-full');
  const gone = Math.floor(kept.length / 2);
  await journal.markUploaded(gone);
  t.equal(await fill(), 'disk-full', 'uploading made room, until it is full again');
  t.ok(kept.length > gone * 2 + 5);
  t.same(await texts(journal, gone + 1), kept.slice(gone));
  await journal.close();
  const again = await open(t, inside, { segmentBytes: 30_000 });
  t.equal(again.torn, undefined);
  t.same(await texts(again, gone + 1), kept.slice(gone), 'after reopening, too');
});

t.test('folders that cannot be used', async (t) => {
  const folder = t.testdir({ file: 'not a folder' });
  for (const path of [join(folder, 'file'), join(folder, 'file', 'journal'), join(folder, 'nul\0')]) {
    await t.rejects(openJournal({ folder: path, form: textForm }), { code: /./ }, JSON.stringify(path));
  }
  t.same(await laterRefusalOf(() => openJournal({ folder: join(folder, 'file'), form: textForm })), 'folder-unusable');
  // Longer than the address of a socket may be.
  const deep = join(folder, ...Array.from({ length: 12 }, () => 'a-rather-long-name'));
  t.equal((await (await open(t, deep)).append('deep')).seq, 1);
});

t.test('records that no journal takes', async (t) => {
  const journal = await open(t, t.testdir());
  t.equal(await laterRefusalOf(() => journal.append('x'.repeat(4_194_304))), 'record-too-large');
  await t.rejects(journal.append('two\nlines'), TypeError);
  await t.rejects(journal.append(''), TypeError);
  t.equal((await journal.append('x'.repeat(4_194_304 - 83))).seq, 1, 'the largest');
  t.equal((await texts(journal))[0]?.length, 4_194_304 - 83);
  const issuances = await openJournal({ folder: join(t.testdirName, 'issuances'), form: issuanceRecordForm });
  t.teardown(() => issuances.close());
  t.equal(await laterRefusalOf(() => issuances.append({} as never)), 'malformed-record');
  t.equal(issuances.end.seq, 0);
});

/** Time for everything that could go on by itself to go on. */
async function manyTurns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
}

/** Syncs that end when the test says so. */
class SlowDisk {
  syncs = 0;
  #waiting: (() => void)[] = [];
  #watchers: { readonly syncs: number; readonly seen: () => void }[] = [];

  readonly makeDurable = (): Promise<void> => {
    this.syncs += 1;
    const finished = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#watchers.filter(({ syncs }) => syncs === this.syncs).forEach(({ seen }) => seen());
    return finished;
  };

  /** Resolves when a sync was asked for that many times. */
  asked(syncs: number): Promise<void> {
    if (this.syncs >= syncs) return Promise.resolve();
    return new Promise((seen) => this.#watchers.push({ syncs, seen }));
  }

  finish(): void {
    this.#waiting.shift()?.();
  }
}

/** A disk whose next syncs fail, each with a code of the system's. */
class FailingDisk {
  #codes: string[] = [];

  readonly makeDurable = async (handle: FileHandle): Promise<void> => {
    const code = this.#codes.shift();
    if (code !== undefined) throw Object.assign(new Error(code), { code });
    await handle.datasync();
  };

  failNext(...codes: readonly string[]): void {
    this.#codes.push(...codes);
  }
}

/** Notes the syncs that reach the system, of which nothing else can be seen short of cutting the power. */
async function watchSyncs(t: Test): Promise<string[]> {
  const handle = await openFile(APPENDER);
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const calls: string[] = [];
  for (const name of ['sync', 'datasync'] as const) {
    const original = Reflect.get(prototype, name);
    prototype[name] = function (this: FileHandle) {
      calls.push(name);
      return original.call(this);
    };
    t.teardown(() => Reflect.set(prototype, name, original));
  }
  return calls;
}

interface Options {
  readonly makeDurable?: (handle: FileHandle) => Promise<void>;
  readonly segmentBytes?: number;
}

async function open(t: Test, folder: string, options: Options = {}): Promise<Journal<string>> {
  const journal = await openJournal({ folder, form: textForm, segmentBytes: SMALL, ...options });
  t.teardown(() => journal.close());
  return journal;
}

/** Writes and closes a journal of `record 1`, `record 2`, ...; returns its folder. */
async function written(
  folder: string,
  count: number,
  { uploaded = 0, segmentBytes = SMALL }: { readonly uploaded?: number; readonly segmentBytes?: number } = {},
): Promise<string> {
  const journal = await openJournal({ folder, form: textForm, segmentBytes });
  for (let seq = 1; seq <= count; seq += 1) await journal.append(`record ${seq}`);
  await journal.markUploaded(uploaded);
  await journal.close();
  return folder;
}

async function entriesOf<T>(journal: Journal<T>, from = 1): Promise<{ seq: number; hash: string; record: T }[]> {
  const entries: { seq: number; hash: string; record: T }[] = [];
  for await (const entry of journal.readFrom(from)) entries.push(entry);
  return entries;
}

async function texts(journal: Journal<string>, from = 1): Promise<string[]> {
  return (await entriesOf(journal, from)).map(({ record }) => record);
}

function segmentsOf(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .sort();
}

function socketsOf(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith('.sock'));
}

function spoil(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes[offset]! ^= 1;
  writeFileSync(path, bytes);
}
