import { createPrivateKey } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SERVICE_KEYS } from '@sigv4-keyd/hop-protocol';
import { cacheSecretOf } from '@sigv4-keyd/service-skeleton';
import fc from 'fast-check';
import t from 'tap';
import { day } from '../support/days.js';
import { newStateFolder } from '../support/state-folder.js';
import { until } from '../support/victim.js';
import { EDGE, factsOf, FEED, heldOf, hold, keyOf, newPrivateKey, openCache, OWN_KEY } from './cache-under-test.js';

const TODAY = day('20261122');
const YESTERDAY = day('20261121');

t.test('what is held is there again after a restart, and so is who used it when', async (t) => {
  const first = await openCache(t);
  hold(first, YESTERDAY, 'AK1');
  hold(first, TODAY, 'AK1', 'AK2', 'AK3');
  first.days.find(TODAY, 'AK1');
  first.days.find(YESTERDAY, 'AK1');
  await first.cache.close();
  t.same(readdirSync(first.folder).toSorted(), ['20261121.sealed', '20261122.sealed', 'uses.sealed']);
  for (const name of readdirSync(first.folder)) t.equal(statSync(join(first.folder, name)).mode & 0o777, 0o600);

  const again = await openCache(t, first);
  t.same(heldOf(again, TODAY), ['AK1', 'AK2', 'AK3']);
  t.same(heldOf(again, YESTERDAY), ['AK1']);
  t.same([...again.days.used.entries()], [{ accessKeyId: 'AK1', date: TODAY }]);
  t.match(again.told('key-cache-restored'), [{ days: 2, taken: 4, denied: 0 }]);
  t.match(again.cache.status(), { isBehind: false, failure: undefined });
  await again.cache.close();
});

t.test('facts come back as they were, whatever they are', async (t) => {
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,30}$/);
  const facts = fc.record(
    {
      accessKeyId: fc.stringMatching(/^[A-Z0-9_]{3,128}$/),
      version: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
      createdAt: fc.integer({ min: 0, max: 2 ** 47 }),
      expiresAt: fc.integer({ min: 0, max: 2 ** 47 }),
      services: fc.array(name, { minLength: 1, maxLength: 100 }),
    },
    { requiredKeys: ['accessKeyId', 'version', 'createdAt'], noNullPrototype: true },
  );
  const some = fc.uniqueArray(facts, { minLength: 1, maxLength: 200, selector: ({ accessKeyId }) => accessKeyId });
  await fc.assert(
    fc.asyncProperty(some, async (all) => {
      const first = await openCache(t);
      for (const each of all) first.days.hold(TODAY, each, keyOf(TODAY, each.accessKeyId.slice(0, 12)));
      await first.cache.close();
      const again = await openCache(t, first);
      const found = new Map(
        [...again.days.entries(TODAY)].map(({ facts, key }) => [facts.accessKeyId, { facts, key }]),
      );
      for (const each of all) {
        const expected = { facts: each, key: Uint8Array.from(keyOf(TODAY, each.accessKeyId.slice(0, 12))) };
        t.strictSame(found.get(each.accessKeyId), expected);
      }
      t.equal(found.size, all.length);
    }),
    { numRuns: 25 },
  );
});

t.test('the disk follows by a second; a process that is killed loses no more than that', async (t) => {
  const running = await openCache(t);
  hold(running, TODAY, 'AK1');
  await running.clock.advance(999);
  hold(running, TODAY, 'AK2');
  t.equal((await openCache(t, running)).told('key-cache-restored')[0]?.['taken'], 0, 'not at once');
  await running.clock.advance(1);
  await running.cache.idle();
  t.same(heldOf(await openCache(t, running), TODAY), ['AK1', 'AK2']);
  t.match(running.cache.status(), { isBehind: false });

  hold(running, TODAY, 'AK3');
  t.match(running.cache.status(), { isBehind: true });
  await running.clock.advance(1_000);
  await running.cache.idle();
  t.same(heldOf(await openCache(t, running), TODAY), ['AK1', 'AK2', 'AK3']);
});

t.test('few keys among many are added to the file; it is written anew when half of it is of the past', async (t) => {
  const running = await openCache(t);
  const many = Array.from({ length: 5_000 }, (_, n) => `AKIA${n}`);
  hold(running, TODAY, ...many);
  const save = async (): Promise<{ readonly size: number; readonly ino: number }> => {
    await running.clock.advance(1_000);
    await running.cache.idle();
    return statSync(join(running.folder, '20261122.sealed'));
  };
  const whole = await save();
  hold(running, TODAY, 'AKNEW1');
  const added = await save();
  t.equal(added.ino, whole.ino, 'the same file');
  t.ok(added.size > whole.size && added.size < whole.size + 500, `${added.size - whole.size} bytes for one key`);
  for (let round = 0; round < 2; round += 1) {
    hold(running, TODAY, ...many);
    await save();
  }
  const anew = await save();
  t.not(anew.ino, whole.ino, 'another file');
  t.ok(anew.size < whole.size * 1.1, 'of what is held, and no more');
  t.same(heldOf(await openCache(t, running), TODAY).length, 5_001);
});

t.test('a fetched key takes the place of an older one of the same access key', async (t) => {
  const first = await openCache(t);
  hold(first, TODAY, 'AK1');
  await first.clock.advance(1_000);
  first.days.hold(TODAY, factsOf('AK1', { version: 2 }), keyOf(TODAY, 'AK1', 2));
  await first.cache.close();
  const [found] = [...(await openCache(t, first)).days.entries(TODAY)];
  t.match(found, { facts: { version: 2 }, key: Uint8Array.from(keyOf(TODAY, 'AK1', 2)) });
});

t.test('a day that is over goes from disk with its keys; at a start its file is removed unread', async (t) => {
  const first = await openCache(t);
  const old = day('20261120');
  hold(first, old, 'AK1');
  hold(first, TODAY, 'AK2');
  await first.cache.close();
  const running = await openCache(t, first);
  await running.clock.moveTo('2026-11-23T10:00:00Z');
  running.days.expire();
  await running.cache.idle();
  t.same(
    readdirSync(first.folder).filter((name) => name.startsWith('2')),
    ['20261122.sealed'],
  );
  await running.cache.close();

  writeFileSync(join(first.folder, '20261120.sealed'), 'whatever');
  const later = await openCache(t, { folder: first.folder, at: '2026-11-30T10:00:00Z' });
  t.same(readdirSync(first.folder), []);
  t.equal(later.told('key-cache-refused').length, 0, 'it was not looked at');
});

t.test('the same private key in another form is the same key; another one, or another identity, is not', async (t) => {
  const sec1 = createPrivateKey(OWN_KEY).export({ format: 'pem', type: 'sec1' });
  const [own, same] = [cacheSecretOf(OWN_KEY, EDGE), cacheSecretOf(Buffer.from(sec1), EDGE)];
  t.equal(own.name, same.name);
  const first = await openCache(t, { secret: own });
  hold(first, TODAY, 'AK1');
  await first.cache.close();
  t.same(heldOf(await openCache(t, { folder: first.folder, secret: same }), TODAY), ['AK1']);
  const file = readFileSync(join(first.folder, '20261122.sealed'));

  const strangers = {
    'another private key': { secret: cacheSecretOf(newPrivateKey(), EDGE) },
    'another edge': { secret: cacheSecretOf(OWN_KEY, `${EDGE}0`) },
    'the same path in another trust domain': { secret: cacheSecretOf(OWN_KEY, EDGE.replace('keyd.test', 'keyd.tes')) },
  };
  for (const [who, run] of Object.entries(strangers)) {
    const folder = newStateFolder(t);
    writeFileSync(join(folder, '20261122.sealed'), file);
    const other = await openCache(t, { folder, ...run });
    t.same(heldOf(other, TODAY), [], who);
    t.match(other.told('key-cache-refused'), [{ file: '20261122.sealed', problem: 'other-identity', level: 'error' }]);
    t.same(readdirSync(folder), [], `${who}: it is removed`);
  }
});

t.test('a disk that fails is told once and tried again; memory goes on', async (t) => {
  const running = await openCache(t);
  const away = `${running.folder}-away`;
  renameSync(running.folder, away);
  writeFileSync(running.folder, 'in the way');
  hold(running, TODAY, 'AK1');
  for (let times = 0; times < 3; times += 1) {
    await running.clock.advance(30_000);
    await running.cache.idle();
  }
  t.equal(running.told('key-cache-unsaved').length, 1, 'once');
  t.match(running.cache.warnings(), [/cannot be kept on disk/]);
  t.match(running.cache.status(), { isBehind: true, failure: /EEXIST/ });
  t.same(heldOf(running, TODAY), ['AK1']);

  rmSync(running.folder);
  renameSync(away, running.folder);
  await running.clock.advance(30_000);
  await running.cache.idle();
  t.equal(running.told('key-cache-saved').length, 1);
  t.same(running.cache.warnings(), []);
  t.same(heldOf(await openCache(t, running), TODAY), ['AK1']);
});

t.test('no key and no access key id stands in the files in the clear', async (t) => {
  const first = await openCache(t);
  hold(first, TODAY, 'AKIACLEARTEXT');
  first.days.find(TODAY, 'AKIACLEARTEXT');
  await first.cache.close();
  for (const name of readdirSync(first.folder)) {
    const file = readFileSync(join(first.folder, name));
    t.notOk(file.includes('CLEARTEXT'), name);
    t.notOk(file.includes(keyOf(TODAY, 'AKIACLEARTEXT').subarray(0, 12)), name);
  }
});

t.test('copies of keys are overwritten as soon as they are sealed', async (t) => {
  const running = await openCache(t);
  hold(running, TODAY, 'AK1', 'AK2');
  await running.clock.advance(1_000);
  await running.cache.idle();
  hold(running, TODAY, 'AK3');
  await running.cache.close();
  t.equal(running.days.copies.length, 3, 'two with the file, one added');
  for (const copy of running.days.copies) t.ok(copy.every((byte) => byte === 0));
});

t.test('before anything of the feed would survive a restart, no key does', async (t) => {
  const first = await openCache(t, { feed: null });
  hold(first, TODAY, 'AK1');
  await first.clock.advance(5_000);
  await first.cache.idle();
  t.same(readdirSync(first.folder), []);
  first.world.feed = FEED;
  await first.clock.advance(1_000);
  await first.cache.idle();
  t.same(heldOf(await openCache(t, first), TODAY), ['AK1']);
});

t.test('renewed with a new private key: all is under the new one, and the old one opens nothing', async (t) => {
  const running = await openCache(t);
  hold(running, TODAY, 'AK1');
  hold(running, YESTERDAY, 'AK2');
  await running.clock.advance(1_000);
  await running.cache.idle();
  const renewed = cacheSecretOf(newPrivateKey(), EDGE);
  await running.cache.handOver(renewed);
  t.same(readdirSync(running.folder).toSorted(), ['20261121.sealed', '20261122.sealed']);
  hold(running, TODAY, 'AK3');
  await running.cache.close();
  const again = await openCache(t, { folder: running.folder, secret: renewed });
  t.same([...heldOf(again, TODAY), ...heldOf(again, YESTERDAY)], ['AK1', 'AK3', 'AK2']);
  const old = await openCache(t, { folder: running.folder });
  t.same(heldOf(old, TODAY), []);
});

t.test(
  'renewed in the middle of writing: what was written under the former private key is sealed anew, too',
  async (t) => {
    const running = await openCache(t);
    hold(running, YESTERDAY, ...Array.from({ length: 20_000 }, (_, n) => `AKIA${n}`));
    hold(running, TODAY, 'AK1');
    await until(() => readdirSync(running.folder).includes('20261121.sealed.unfinished'));
    const renewed = cacheSecretOf(newPrivateKey(), EDGE);
    await running.cache.handOver(renewed);
    await running.cache.close();
    const again = await openCache(t, { folder: running.folder, secret: renewed });
    t.same([heldOf(again, YESTERDAY).length, heldOf(again, TODAY)], [20_000, ['AK1']]);
    t.same(again.told('key-cache-refused'), []);
  },
);

t.test('a crash while all is written under a new private key loses nothing', async (t) => {
  const running = await openCache(t);
  hold(running, TODAY, 'AK1');
  hold(running, YESTERDAY, 'AK2');
  await running.clock.advance(1_000);
  await running.cache.idle();
  // The disk fails after the first of two files: as far as the next process can tell, that was a crash.
  const inTheWay = join(running.folder, '20261122.sealed.unfinished');
  mkdirSync(inTheWay);
  const [second, third] = [cacheSecretOf(newPrivateKey(), EDGE), cacheSecretOf(newPrivateKey(), EDGE)];
  await running.cache.handOver(second);
  t.ok(readdirSync(running.folder).includes('older-secrets.sealed'));
  rmdirSync(inTheWay);

  const again = await openCache(t, { folder: running.folder, secret: second });
  t.same([...heldOf(again, TODAY), ...heldOf(again, YESTERDAY)], ['AK1', 'AK2']);
  t.notOk(readdirSync(running.folder).includes('older-secrets.sealed'), 'and is made good at once');

  // Renewed again before the first was made good.
  mkdirSync(inTheWay);
  await again.cache.handOver(third);
  const fourth = cacheSecretOf(newPrivateKey(), EDGE);
  await again.cache.handOver(fourth);
  rmdirSync(inTheWay);
  const last = await openCache(t, { folder: running.folder, secret: fourth });
  t.same([...heldOf(last, TODAY), ...heldOf(last, YESTERDAY)], ['AK1', 'AK2']);
  const old = await openCache(t, { folder: running.folder, secret: third });
  t.same(heldOf(old, TODAY), []);
});

t.test('keys of one hop are not taken for those of another', async (t) => {
  const first = await openCache(t, { keys: '/v1/region-keys' });
  hold(first, TODAY, 'AK1');
  await first.cache.close();
  const other = await openCache(t, { folder: first.folder, keys: SERVICE_KEYS.path });
  t.same(heldOf(other, TODAY), []);
  t.match(other.told('key-cache-refused')[0], { problem: 'not-authentic', security: true });
});
