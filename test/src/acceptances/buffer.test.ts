import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { KeydError } from '@sigv4-keyd/hop-protocol';
import {
  BatchBuffer,
  BatchUploader,
  BufferFull,
  createLogger,
  type BatchBufferOptions,
} from '@sigv4-keyd/service-skeleton';
import t from 'tap';
import { z } from 'zod';
import { newStateFolder } from '../support/state-folder.js';
import { VirtualClock } from '../support/virtual-clock.js';

const log = createLogger({ service: 'test', level: 'silent' });
const BLOCK = 4096;
const entry = z.strictObject({ number: z.number(), dropped: z.number().default(0) });
type Entry = z.infer<typeof entry>;

const toldAs = (lost: readonly Entry[], unreadable: number): Entry => ({
  number: -1,
  dropped: lost.reduce((sum, { number, dropped }) => sum + (number >= 0 ? 1 : 0) + dropped, unreadable),
});

function open(folder: string, given: Partial<BatchBufferOptions<Entry>> = {}): Promise<BatchBuffer<Entry>> {
  return BatchBuffer.open({ folder, entry, mostBytes: 1e9, mostTogether: 1, log, ...given });
}

async function drain(buffer: BatchBuffer<Entry>): Promise<Entry[]> {
  const found: Entry[] = [];
  for (let group = await buffer.oldest(); group; group = await buffer.oldest()) {
    found.push(...group.entries);
    await group.remove();
  }
  return found;
}

const numbered = (number: number): Entry => ({ number, dropped: 0 });

t.test('first in, first out, across a restart; what was removed is gone', async (t) => {
  const folder = join(newStateFolder(t), 'rollups');
  const first = await open(folder);
  for (let number = 0; number < 12; number += 1) await first.put(numbered(number));
  await (await first.oldest())?.remove();
  t.equal(statSync(folder).mode & 0o777, 0o700);
  for (const name of readdirSync(folder)) t.equal(statSync(join(folder, name)).mode & 0o777, 0o600);
  const second = await open(folder);
  t.equal(second.groups, 11);
  t.equal(second.bytes, 11 * BLOCK);
  await second.put(numbered(12));
  t.strictSame(
    (await drain(second)).map(({ number }) => number),
    Array.from({ length: 12 }, (_, index) => index + 1),
  );
  t.equal(second.bytes, 0);
  t.strictSame(readdirSync(folder), []);
});

t.test('what comes together is kept together, up to the bounds', async (t) => {
  const folder = newStateFolder(t);
  const buffer = await open(folder, { mostTogether: 4 });
  await Promise.all(Array.from({ length: 10 }, (_, number) => buffer.put(numbered(number))));
  t.equal(readdirSync(folder).length, 3);
  t.equal((await drain(buffer)).length, 10);
});

t.test('a full buffer drops the oldest and tells how many', async (t) => {
  const folder = newStateFolder(t);
  const buffer = await open(folder, { mostBytes: 64 * BLOCK, toldAs });
  let most = 0;
  for (let number = 0; number < 300; number += 1) {
    await buffer.put(numbered(number));
    most = Math.max(most, readdirSync(folder).length * BLOCK);
  }
  t.ok(most <= 64 * BLOCK, `${most} bytes at most`);
  t.equal(readdirSync(folder).length * BLOCK, buffer.bytes);
  const left = await drain(await open(folder, { toldAs }));
  const numbers = left.filter(({ number }) => number >= 0).map(({ number }) => number);
  const dropped = left.reduce((sum, one) => sum + one.dropped, 0);
  t.ok(numbers.length >= 50, `${numbers.length} are left`);
  t.equal(numbers.length + dropped, 300, 'each is either there or told');
  t.equal(numbers.at(-1), 299);
  t.strictSame(
    numbers,
    numbers.toSorted((a, b) => a - b),
  );
});

t.test('without a way to tell, a full buffer refuses and keeps what it has', async (t) => {
  const buffer = await open(newStateFolder(t), { mostBytes: 3 * BLOCK });
  for (let number = 0; number < 3; number += 1) await buffer.put(numbered(number));
  await t.rejects(buffer.put(numbered(3)), BufferFull);
  await (await buffer.oldest())?.remove();
  await buffer.put(numbered(4));
  t.strictSame(
    (await drain(buffer)).map(({ number }) => number),
    [1, 2, 4],
  );
});

t.test('where many fill a buffer, nobody has more there than there is room left', async (t) => {
  const folder = newStateFolder(t);
  // An owner's numbers have its own hundreds.
  const given = { mostBytes: 60 * BLOCK, ownerOf: ({ number }: Entry) => `owner ${Math.floor(number / 100)}` };
  const buffer = await open(folder, given);
  const fill = async (owner: number): Promise<number> => {
    for (let number = 0; number < 100; number += 1) {
      try {
        await buffer.put(numbered(owner * 100 + number));
      } catch (error) {
        t.type(error, BufferFull);
        return number;
      }
    }
    return 100;
  };
  t.strictSame([await fill(0), await fill(1), await fill(2)], [30, 15, 8]);
  t.equal(await fill(0), 0, 'whoever has much gets nothing more');
  t.ok(buffer.isShareUsedUp('owner 0'));
  t.notOk(buffer.isShareUsedUp('owner 3'), 'and whoever comes next finds room');
  t.ok((await fill(3)) > 0);

  await (await buffer.oldest())?.remove();
  t.equal(await fill(0), 0);
  for (let handedOn = 0; handedOn < 24; handedOn += 1) await (await buffer.oldest())?.remove();
  t.notOk(buffer.isShareUsedUp('owner 0'), 'what was handed on is given back');
  t.ok((await fill(0)) > 0);

  const bytes = buffer.bytes;
  const again = await open(folder, given);
  t.equal(again.bytes, bytes);
  t.notOk(again.isShareUsedUp('owner 0'), 'what an earlier process left is nobody’s');
  await drain(again);
  t.equal(again.bytes, 0);
});

t.test('those who put at once share a file, and its room', async (t) => {
  const buffer = await open(newStateFolder(t), {
    mostBytes: 4 * BLOCK,
    mostTogether: 50,
    ownerOf: ({ number }: Entry) => `owner ${number % 2}`,
  });
  await Promise.all(Array.from({ length: 50 }, (_, number) => buffer.put(numbered(number))));
  t.equal(buffer.bytes, BLOCK);
  t.notOk(buffer.isShareUsedUp('owner 0'), 'fifty small ones of two are half a block of each');
  const own = Array.from({ length: 1_000 }, (_, number) => buffer.put(numbered(2 * number)));
  const other = buffer.put(numbered(1));
  const outcomes = await Promise.allSettled(own);
  t.ok(outcomes.some(({ status }) => status === 'rejected'));
  await other;
});

t.test('files that are not whole or not ours stop nothing', async (t) => {
  const folder = newStateFolder(t);
  const buffer = await open(folder, { toldAs });
  await buffer.put(numbered(1));
  await buffer.put(numbered(2));
  const [oldest = ''] = readdirSync(folder).sort();
  writeFileSync(join(folder, oldest), '{"number":1,"dro');
  writeFileSync(join(folder, oldest.replace(/^\d{16}/, '9999999999999999') + '.unfinished'), 'x');
  writeFileSync(join(folder, 'notes.txt'), 'x');
  const again = await open(folder, { toldAs });
  t.strictSame(await drain(again), [numbered(2), { number: -1, dropped: 1 }]);
  t.strictSame(readdirSync(folder).sort(), [`${oldest}.unreadable`, 'notes.txt'].sort());
});

t.test('a disk that takes nothing is told, and what was not kept is not acknowledged', async (t) => {
  const parent = newStateFolder(t);
  const folder = join(parent, 'rollups');
  const buffer = await open(folder);
  renameSync(folder, join(parent, 'away'));
  await t.rejects(buffer.put(numbered(1)), { code: 'ENOENT' });
  renameSync(join(parent, 'away'), folder);
  chmodSync(folder, 0o700);
  await buffer.put(numbered(2));
  t.strictSame(await drain(buffer), [numbered(2)]);
});

t.test('a full buffer with entries at its head that are refused for good is emptied all the same', async (t) => {
  const buffer = await open(newStateFolder(t), { mostBytes: 3 * BLOCK, mostTogether: 4 });
  await Promise.all([1, 2, 3].map((number) => buffer.put(numbered(number))));
  await buffer.put(numbered(4));
  await buffer.put(numbered(5));
  await t.rejects(buffer.put(numbered(6)), BufferFull);
  const taken: Entry[] = [];
  const uploader = new BatchUploader({
    buffer,
    clock: new VirtualClock('2026-11-22T12:00:00Z'),
    log,
    send: (entries) => {
      if (entries.some(({ number }) => number === 1 || number === 2)) throw new KeydError('malformed-request');
      taken.push(...entries);
      return Promise.resolve();
    },
    toldAs: ({ dropped }) => ({ number: -1, dropped: dropped + 1 }),
  });
  await uploader.send();
  t.equal(uploader.isFailing, false);
  t.equal(buffer.groups, 0);
  t.strictSame(
    taken.map(({ number }) => number),
    [3, 4, 5, -1, -1],
  );
});

t.test('kill -9 at any moment: what was acknowledged is there after it, once', async (t) => {
  const folder = newStateFolder(t);
  const program = fileURLToPath(new URL('putter.js', import.meta.url));
  const acknowledged: number[] = [];
  for (const lines of [1, 37, 160]) {
    const child = spawn(process.execPath, [program, folder, String(acknowledged.length * 10_000)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let left = lines;
    createInterface({ input: child.stdout }).on('line', (line) => {
      acknowledged.push(Number(line));
      left -= 1;
      if (left === 0) child.kill('SIGKILL');
    });
    await once(child, 'close');
    t.equal(child.signalCode, 'SIGKILL');
  }
  const buffer = await BatchBuffer.open({ folder, entry: z.number(), mostBytes: 1e9, mostTogether: 5, log });
  const found: number[] = [];
  for (let group = await buffer.oldest(); group; group = await buffer.oldest()) {
    found.push(...group.entries);
    await group.remove();
  }
  t.ok(acknowledged.length >= 198);
  t.strictSame(
    acknowledged.filter((number) => !found.includes(number)),
    [],
  );
  t.equal(new Set(found).size, found.length);
});

t.test('the uploader: an outage keeps, a refusal is told, one bad entry holds up no other', async (t) => {
  const clock = new VirtualClock('2026-11-22T12:00:00Z');
  const buffer = await open(newStateFolder(t), { mostTogether: 5 });
  await Promise.all(Array.from({ length: 8 }, (_, number) => buffer.put(numbered(number))));
  let parent: 'down' | 'picky' | 'up' = 'down';
  const taken: Entry[] = [];
  const uploader = new BatchUploader<Entry>({
    buffer,
    clock,
    log,
    send: (entries) => {
      if (parent === 'down') return Promise.reject(new KeydError('parent-unavailable'));
      const isBad = parent === 'picky' && entries.some(({ number }) => number === 3);
      if (isBad) return Promise.reject(new KeydError('malformed-request'));
      taken.push(...entries);
      return Promise.resolve();
    },
    toldAs: (refused) => (refused.number < 0 ? undefined : toldAs([refused], 0)),
  });
  await uploader.send();
  t.ok(uploader.isFailing);
  t.equal(buffer.groups, 2, 'an outage loses nothing');
  parent = 'picky';
  await Promise.all([uploader.send(), uploader.send()]);
  await uploader.send();
  t.notOk(uploader.isFailing);
  t.strictSame(
    taken.map(({ number }) => number),
    [0, 1, 2, 4, 5, 6, 7, -1],
    'each once, and the refused one as dropped',
  );
  t.equal(taken.at(-1)?.dropped, 1);
  t.equal(buffer.groups, 0);

  parent = 'up';
  await buffer.put(numbered(9));
  const stop = uploader.start();
  await uploader.send();
  t.equal(taken.at(-1)?.number, 9);
  await stop();

  await buffer.put(numbered(10));
  let underWay = 0;
  const hanging = new BatchUploader<Entry>({
    buffer,
    clock,
    log,
    send: async (_, signal) => {
      underWay += 1;
      await once(signal, 'abort');
      await new Promise(setImmediate);
      underWay -= 1;
      throw new KeydError('malformed-request');
    },
    toldAs: (refused) => toldAs([refused], 0),
  });
  const stopHanging = hanging.start();
  while (underWay === 0) await new Promise(setImmediate);
  await stopHanging();
  t.equal(underWay, 0);
  t.equal(buffer.groups, 1, 'what was under way at the end waits for the next start');
  t.match((await buffer.oldest())?.entries, [{ number: 10 }]);
});
