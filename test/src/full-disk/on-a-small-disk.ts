/** Run by full-disk.test.ts with a folder on a file system of one mebibyte, and nothing else on it. */
import { openSync, closeSync, mkdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { FeedFollower, FEED_BEAT_MS, type FeedSource } from '@sigv4-keyd/hop-protocol';
import { JournalError, openJournal, type RecordForm } from '@sigv4-keyd/ledger';
import type { FeedDocument } from '@sigv4-keyd/revocation';
import { BatchBuffer, createLogger, feedStateFile } from '@sigv4-keyd/service-skeleton';
import t, { type Test } from 'tap';
import { z } from 'zod';
import { heldOf, hold, openCache } from '../key-cache/cache-under-test.js';
import { RULE } from '../revocation/publisher.js';
import { day } from '../support/days.js';
import { TestFeed } from '../support/test-feed.js';
import { until } from '../support/victim.js';
import { VirtualClock } from '../support/virtual-clock.js';

const [, , disk = ''] = process.argv;
const TODAY = day('20261122');
const FILLER = join(disk, 'filler');

function fill(t: Test): void {
  const filler = openSync(FILLER, 'a');
  for (const bytes of [65_536, 4_096, 1]) {
    try {
      for (;;) writeSync(filler, Buffer.alloc(bytes));
    } catch (error) {
      t.match(error, { code: 'ENOSPC' }, 'the disk is full');
    }
  }
  closeSync(filler);
}

function makeRoom(): void {
  rmSync(FILLER);
}

function folderFor(name: string): string {
  mkdirSync(join(disk, name), { mode: 0o700 });
  return join(disk, name);
}

/** A log, and how often it told of an event. */
function recordingLog() {
  const lines: string[] = [];
  const log = createLogger({ service: 'test', level: 'info', destination: { write: (line) => lines.push(line) } });
  return { log, told: (event: string) => lines.filter((line) => line.includes(`"event":"${event}"`)).length };
}

t.test('the journal of a region', async (t) => {
  const folder = join(disk, 'journal');
  const form: RecordForm<string> = { encode: (record) => record, decode: (text) => text };
  const journal = await openJournal({ folder, form });
  const kept: string[] = [];
  const append = async (name: string): Promise<string> => {
    const record = `${name} ${'x'.repeat(5_000)}`;
    try {
      await journal.append(record);
      kept.push(record);
      return 'recorded';
    } catch (error) {
      return error instanceof JournalError ? error.code : String(error);
    }
  };
  for (let n = 0; n < 20; n += 1) t.equal(await append(`before ${n}`), 'recorded');
  fill(t);
  t.equal(await append('while full'), 'disk-full', 'what cannot be recorded is said to be not');
  t.equal(await append('while full'), 'disk-full');
  makeRoom();
  for (let n = 0; n < 20; n += 1) t.equal(await append(`after ${n}`), 'recorded', 'it goes on by itself');
  await journal.close();

  const again = await openJournal({ folder, form });
  const found: string[] = [];
  for await (const { record } of again.readFrom(1)) found.push(record);
  t.same(found, kept, 'what was recorded, and no more');
  t.equal(again.torn, undefined);
  await again.close();
  rmSync(folder, { recursive: true });
});

t.test('the cache of keys', async (t) => {
  const folder = folderFor('key-cache');
  const first = await openCache(t, { folder });
  const ids = (name: string): readonly string[] => Array.from({ length: 500 }, (_, n) => `${name}${n}`);
  hold(first, TODAY, ...ids('AKIABEFORE'));
  await first.clock.advance(1_000);
  await first.cache.idle();
  t.match(first.cache.status(), { isBehind: false, failure: undefined });

  fill(t);
  hold(first, TODAY, ...ids('AKIAFULL'));
  await first.clock.advance(1_000);
  await first.cache.idle();
  t.match(first.cache.status(), { isBehind: true, failure: /ENOSPC/ });
  t.match(first.cache.warnings(), [/./]);
  t.equal(heldOf(first, TODAY).length, 1_000, 'memory has all');
  for (let again = 0; again < 3; again += 1) {
    await first.clock.advance(30_000);
    await first.cache.idle();
  }
  t.equal(first.told('key-cache-unsaved').length, 1, 'told once');
  const restarted = await openCache(t, { folder });
  t.same(heldOf(restarted, TODAY), ids('AKIABEFORE').toSorted(), 'a restart finds what was kept before');
  await restarted.cache.close();

  const { days } = first;
  for (const accessKeyId of ids('AKIABEFORE')) days.delete(TODAY, accessKeyId);
  await first.cache.idle();
  const wiped = await openCache(t, { folder });
  t.same(heldOf(wiped, TODAY), [], 'what was revoked while it was full is not found');
  await wiped.cache.close();

  makeRoom();
  await first.clock.advance(30_000);
  await first.cache.idle();
  t.match(first.cache.status(), { isBehind: false, failure: undefined });
  t.same(first.cache.warnings(), []);
  await first.cache.close();
  const last = await openCache(t, { folder });
  t.same(heldOf(last, TODAY), ids('AKIAFULL').toSorted(), 'all is there that memory had');
  await last.cache.close();
  rmSync(folder, { recursive: true });
});

t.test('what is believed of the feed', async (t) => {
  const folder = folderFor('feed');
  const clock = new VirtualClock('2026-11-22T10:00:00Z');
  const feed = await TestFeed.create(clock);
  let document: FeedDocument | undefined;
  const source: FeedSource = { name: 's', waits: false, fetch: () => Promise.resolve(document) };
  const { log, told } = recordingLog();
  const { pinned: keys } = feed.keys;
  const options = { sources: [source], keys, rule: RULE, clock, log, random: () => 0.5 };
  const open = (): Promise<FeedFollower> => FeedFollower.open({ ...options, storage: feedStateFile(folder) });
  const follower = await open();
  const publish = async (accessKeyId: string): Promise<void> => {
    await feed.publisher.revoke({ from: TODAY, to: TODAY, accessKeyId });
    document = await feed.document();
    await clock.advance(FEED_BEAT_MS);
    await until(() => follower.status.version === feed.publisher.version);
  };
  follower.start();
  await publish('AKIABEFORE');
  await until(() => follower.saved?.version === feed.publisher.version);
  const before = readFileSync(join(folder, 'feed-state.json'), 'utf8');

  fill(t);
  await publish('AKIAFULL');
  await until(() => follower.status.isUnsaved);
  t.equal(follower.status.statements, 2, 'it is in force all the same');
  t.equal(readFileSync(join(folder, 'feed-state.json'), 'utf8'), before, 'the file is whole');
  await clock.advance(10_000);
  t.equal(told('feed-state-unsaved'), 1, 'told once');

  makeRoom();
  await until(async () => {
    await clock.advance(1_000);
    return !follower.status.isUnsaved;
  });
  t.equal(told('feed-state-saved'), 1);
  await follower.close();
  const again = await open();
  t.equal(again.status.statements, 2, 'a restart finds both');
  await again.close();
  rmSync(folder, { recursive: true });
});

t.test('roll-ups that wait to be sent', async (t) => {
  const folder = folderFor('rollups');
  const { log } = recordingLog();
  const open = (): Promise<BatchBuffer<string>> =>
    BatchBuffer.open({ folder, entry: z.string(), mostBytes: 1e9, mostTogether: 1, log });
  const buffer = await open();
  await buffer.put('before');
  fill(t);
  await t.rejects(buffer.put('while full'), { code: 'ENOSPC' });
  makeRoom();
  await buffer.put('after');
  const found: (readonly string[])[] = [];
  const again = await open();
  for (let group = await again.oldest(); group; group = await again.oldest()) {
    found.push(group.entries);
    await group.remove();
  }
  t.same(found, [['before'], ['after']], 'in their order, and nothing that was refused');
  rmSync(folder, { recursive: true });
});
