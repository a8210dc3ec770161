import { appendFileSync, copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheSecretOf } from '@sigv4-keyd/service-skeleton';
import t, { type Test } from 'tap';
import { day } from '../support/days.js';
import { newStateFolder } from '../support/state-folder.js';
import { EDGE, FEED, heldOf, hold, newPrivateKey, openCache, type Run } from './cache-under-test.js';

const TODAY = day('20261122');
const YESTERDAY = day('20261121');
const FILE = '20261122.sealed';

/** A file of three segments, of one key each; `ends` is how long it was after each. */
async function threeSegments(t: Test): Promise<{ readonly file: Buffer; readonly ends: readonly number[] }> {
  const running = await openCache(t);
  const ends: number[] = [0];
  for (const accessKeyId of ['AK1', 'AK2', 'AK3']) {
    hold(running, TODAY, accessKeyId);
    await running.clock.advance(1_000);
    await running.cache.idle();
    ends.push(readFileSync(join(running.folder, FILE)).length);
  }
  return { file: readFileSync(join(running.folder, FILE)), ends };
}

/** Places all over a file, and some of them in particular. */
function somewhere(length: number, particular: readonly number[]): readonly number[] {
  const all = Array.from({ length: Math.ceil(length / 9) }, (_, n) => n * 9);
  return [...new Set([...all, ...particular])].filter((at) => at >= 0 && at < length);
}

async function openFile(t: Test, file: Buffer, run: Run = {}) {
  const folder = newStateFolder(t);
  writeFileSync(join(folder, FILE), file);
  return openCache(t, { folder, ...run });
}

t.test('a file that was cut anywhere: whole segments are used, the rest is not', async (t) => {
  const { file, ends } = await threeSegments(t);
  const edges = ends.flatMap((end) => [end - 25, end - 24, end - 1, end, end + 1, end + 49]);
  for (const length of somewhere(file.length, edges)) {
    const found = await openFile(t, file.subarray(0, length));
    const whole = ends.filter((end) => end > 0 && end <= length).length;
    const expected = ['AK1', 'AK2', 'AK3'].slice(0, whole);
    if (!t.same(heldOf(found, TODAY), expected, `cut at ${length}`)) break;
    // At the end of a segment it is the file of an earlier moment, which is nothing to tell of.
    const problems = found.told('key-cache-refused').map(({ problem }) => problem);
    if (!t.same(problems, ends.includes(length) ? [] : ['cut-short'], `cut at ${length}`)) break;
    t.same(readdirSync(found.folder), whole === 0 ? [] : [FILE]);
    const again = await openCache(t, { folder: found.folder });
    t.same(again.told('key-cache-refused'), [], 'and it is whole again');
    t.same(heldOf(again, TODAY), expected);
  }
});

t.test('a bit that was changed anywhere: nothing from there on is used, and it is told', async (t) => {
  const { file, ends } = await threeSegments(t);
  for (const at of somewhere(file.length, ends)) {
    const changed = Buffer.from(file);
    changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
    const found = await openFile(t, changed);
    const whole = ends.filter((end) => end > 0 && end <= at).length;
    if (!t.same(heldOf(found, TODAY), ['AK1', 'AK2', 'AK3'].slice(0, whole), `changed at ${at}`)) break;
    if (!t.equal(found.told('key-cache-refused').length, 1, `changed at ${at}`)) break;
  }
});

t.test('segments put together otherwise than they were written', async (t) => {
  const { file, ends } = await threeSegments(t);
  const [, first = 0, second = 0, third = 0] = ends;
  const [a, b, c] = [file.subarray(0, first), file.subarray(first, second), file.subarray(second, third)];
  const other = (await threeSegments(t)).file;
  const cases: Readonly<Record<string, readonly [Buffer, readonly string[]]>> = {
    'one left out': [Buffer.concat([a, c]), ['AK1']],
    'two in the other order': [Buffer.concat([a, c, b]), ['AK1']],
    'one twice': [Buffer.concat([a, a, b]), ['AK1']],
    'the first gone': [Buffer.concat([b, c]), []],
    'one of another file of the same day': [Buffer.concat([a, other.subarray(first, second), c]), ['AK1']],
    'something behind the end': [Buffer.concat([file, Buffer.from('more')]), ['AK1', 'AK2', 'AK3']],
    'nothing but zeros behind the end, as after a power cut': [
      Buffer.concat([file, Buffer.alloc(4096)]),
      ['AK1', 'AK2', 'AK3'],
    ],
  };
  for (const [what, [content, expected]] of Object.entries(cases)) {
    const found = await openFile(t, content);
    t.same(heldOf(found, TODAY), expected, what);
    t.equal(found.told('key-cache-refused').length, 1, what);
  }
});

t.test('blocks of one segment in another order', async (t) => {
  const running = await openCache(t);
  hold(running, TODAY, ...Array.from({ length: 5_000 }, (_, n) => `AKIA${n}`));
  await running.cache.close();
  const file = readFileSync(join(running.folder, FILE));
  const header = 49;
  const blocks: Buffer[] = [];
  for (let at = header; at < file.length;) {
    const end = at + 4 + (file.readUInt32BE(at) & 0x7fff_ffff);
    blocks.push(file.subarray(at, end));
    at = end;
  }
  t.ok(blocks.length > 4, `${blocks.length} blocks`);
  const [head = file, one = file, two = file, ...rest] = blocks;
  const start = file.subarray(0, header);
  const saidToBeLast = Buffer.from(two);
  saidToBeLast[0] = (saidToBeLast[0] ?? 0) | 0x80;
  const last = rest.at(-1) ?? file;
  for (const [what, order] of Object.entries({
    'two in the other order': [head, two, one, ...rest],
    'one left out': [head, two, ...rest],
    'one twice': [head, one, one, two, ...rest],
    'the end early': [head, one, last],
    'no head': [one, two, ...rest],
    'one in the middle said to be the last': [head, one, saidToBeLast],
  })) {
    const found = await openFile(t, Buffer.concat([start, ...order]));
    t.same(heldOf(found, TODAY), [], what);
    t.match(found.told('key-cache-refused'), [{ problem: 'not-authentic', security: true }], what);
  }
});

t.test('files of another day, of a later version, and what is no file of a cache', async (t) => {
  const { file } = await threeSegments(t);
  const folder = newStateFolder(t);
  writeFileSync(join(folder, '20261121.sealed'), file);
  const future = Buffer.from(file);
  future[8] = 2;
  writeFileSync(join(folder, FILE), future);
  writeFileSync(join(folder, 'uses.sealed'), 'something else, as long as the header of a segment is');
  writeFileSync(join(folder, 'older-secrets.sealed'), file);
  writeFileSync(join(folder, '20261122.sealed.unfinished'), file);
  writeFileSync(join(folder, 'notes.txt'), 'not ours');
  mkdirSync(join(folder, '20261120.sealed'));
  const found = await openCache(t, { folder });
  t.same([...heldOf(found, TODAY), ...heldOf(found, YESTERDAY)], []);
  const problems = found.told('key-cache-refused').map(({ file: name, problem }) => [name, problem]);
  t.same(
    new Map(problems as [string, string][]),
    new Map([
      ['20261120.sealed', 'unreadable'],
      ['20261121.sealed', 'not-authentic'],
      [FILE, 'other-form'],
      ['older-secrets.sealed', 'not-authentic'],
      ['uses.sealed', 'other-form'],
    ]),
  );
  t.same(readdirSync(folder).toSorted(), ['20261120.sealed', 'notes.txt'], 'the rest is removed');
  t.equal(found.told('key-cache-unremoved').length, 1);
});

t.test('one bad file costs its own day', async (t) => {
  const first = await openCache(t);
  hold(first, TODAY, 'AK1');
  hold(first, YESTERDAY, 'AK2');
  await first.cache.close();
  writeFileSync(join(first.folder, FILE), 'bad');
  const again = await openCache(t, first);
  t.same([...heldOf(again, TODAY), ...heldOf(again, YESTERDAY)], ['AK2']);
});

t.test('written under newer news of revocations than were restored: refused whole', async (t) => {
  const first = await openCache(t);
  hold(first, YESTERDAY, 'AK1');
  await first.clock.advance(1_000);
  await first.cache.idle();
  first.world.feed = { ...FEED, version: FEED.version + 1 };
  hold(first, TODAY, 'AK2');
  await first.cache.close();
  const feeds = {
    'an old state of the feed was put back': FEED,
    'the state of the feed was removed': null,
    'another set under the same version': { version: FEED.version + 1, setHash: 'cd'.repeat(32) },
  } as const;
  for (const [what, feed] of Object.entries(feeds)) {
    const folder = newStateFolder(t);
    for (const name of readdirSync(first.folder)) copyFileSync(join(first.folder, name), join(folder, name));
    const found = await openCache(t, { folder, feed });
    t.same([...heldOf(found, TODAY), ...heldOf(found, YESTERDAY)], [], what);
    t.ok(found.told('key-cache-refused').length >= 2, what);
    t.match(found.told('key-cache-refused')[0], { problem: 'newer-feed', security: true, level: 'error' });
    t.same(readdirSync(folder), [], `${what}: it is removed`);
  }
  const found = await openCache(t, { folder: first.folder, feed: { version: 99, setHash: 'ef' } });
  t.same([...heldOf(found, TODAY), ...heldOf(found, YESTERDAY)], ['AK2', 'AK1'], 'older than the feed is no harm');
});

t.test('an old cache beside a new state of the feed: what it denies does not come back', async (t) => {
  const first = await openCache(t);
  hold(first, TODAY, 'AK1', 'AK2');
  await first.cache.close();
  const old = readFileSync(join(first.folder, FILE));
  const denialOf: Run['denialOf'] = (_date, { accessKeyId }) => (accessKeyId === 'AK1' ? 'revoked' : undefined);
  const feed = { ...FEED, version: FEED.version + 1 };
  const found = await openFile(t, old, { denialOf, feed });
  t.same(heldOf(found, TODAY), ['AK2']);
  t.match(found.told('key-cache-restored'), [{ taken: 1, denied: 1 }]);
  // Were the file not written anew, a revocation that is lifted would bring the key back.
  t.same(heldOf(await openCache(t, { folder: found.folder, feed }), TODAY), ['AK2'], 'nor does the disk have it now');
});

t.test('a key that is wiped from memory is gone from disk at once', async (t) => {
  const running = await openCache(t);
  hold(running, TODAY, 'AK1', 'AK2');
  hold(running, YESTERDAY, 'AK1');
  await running.clock.advance(1_000);
  await running.cache.idle();
  const before = readFileSync(join(running.folder, FILE));
  await running.days.purge((_date, { accessKeyId }) => accessKeyId === 'AK1');
  await running.cache.idle();
  t.equal(running.clock.now(), Date.parse('2026-11-22T10:00:01Z'), 'no time has passed');
  t.same(readdirSync(running.folder), [FILE], 'a day without keys has no file');
  t.notOk(readFileSync(join(running.folder, FILE)).includes(before.subarray(49, 80)), 'no old block is left');
  t.same(heldOf(await openCache(t, { folder: running.folder }), TODAY), ['AK2']);
});

t.test('a file that cannot be written anew without a revoked key is removed', async (t) => {
  const running = await openCache(t);
  hold(running, TODAY, 'AK1', 'AK2');
  await running.clock.advance(1_000);
  await running.cache.idle();
  mkdirSync(join(running.folder, `${FILE}.unfinished`));
  await running.days.purge((_date, { accessKeyId }) => accessKeyId === 'AK1');
  await running.cache.idle();
  t.same(readdirSync(running.folder), [`${FILE}.unfinished`]);
  t.match(running.cache.warnings(), [/cannot be kept/]);
});

t.test('a file that cannot be written keeps no other from it', async (t) => {
  const running = await openCache(t);
  hold(running, YESTERDAY, 'AK1', 'AK2');
  hold(running, TODAY, 'AK1', 'AK2');
  await running.clock.advance(1_000);
  await running.cache.idle();
  mkdirSync(join(running.folder, '20261121.sealed.unfinished'));
  await running.days.purge((_date, { accessKeyId }) => accessKeyId === 'AK1');
  await running.cache.idle();
  const again = await openCache(t, { folder: running.folder });
  t.same([...heldOf(again, YESTERDAY), ...heldOf(again, TODAY)], ['AK2']);
});

t.test('what a failed attempt left at the end of a file is not built upon', async (t) => {
  const running = await openCache(t);
  hold(running, TODAY, 'AK1');
  await running.clock.advance(1_000);
  await running.cache.idle();
  appendFileSync(join(running.folder, FILE), 'what was written of a segment '.repeat(50));
  hold(running, TODAY, 'AK2');
  await running.clock.advance(1_000);
  await running.cache.idle();
  const again = await openCache(t, { folder: running.folder });
  t.same(heldOf(again, TODAY), ['AK1', 'AK2']);
  t.same(again.told('key-cache-refused'), []);
});

t.test('older secrets that are not sealed by the present private key are worth nothing', async (t) => {
  const first = await openCache(t);
  hold(first, TODAY, 'AK1');
  await first.clock.advance(1_000);
  await first.cache.idle();
  mkdirSync(join(first.folder, `${FILE}.unfinished`));
  await first.cache.handOver(cacheSecretOf(newPrivateKey(), EDGE));
  const stranger = await openCache(t, { folder: first.folder, secret: cacheSecretOf(newPrivateKey(), EDGE) });
  t.same(heldOf(stranger, TODAY), []);
  t.match(
    stranger.told('key-cache-refused').map(({ problem }) => problem),
    ['other-identity', 'other-identity'],
  );
});
