import { isDeepStrictEqual } from 'node:util';
import { HeldKeys, mostBytesAKey, UsedAccessKeys, type AccessKeyFacts } from '@sigv4-keyd/hop-protocol';
import t from 'tap';
import { day } from '../support/days.js';
import { factsOf, HASH_SEED } from './text-keys.js';

const KEY_BYTES = 32;

/** A table whose memory a test can look into. */
function hold(mostKeys: number, inUse: ReadonlySet<string> = new Set()) {
  const memory: Uint8Array[] = [];
  const evicted: string[] = [];
  const keys = new HeldKeys({
    keyBytes: KEY_BYTES,
    mostKeys,
    hashSeed: HASH_SEED,
    allocate: (bytes) => {
      const piece = new Uint8Array(bytes);
      memory.push(piece);
      return piece;
    },
    isInUse: (accessKeyId) => inUse.has(accessKeyId),
    onEvicted: (accessKeyId) => evicted.push(accessKeyId),
  });
  const occurs = (bytes: Buffer): boolean => memory.some((piece) => Buffer.from(piece.buffer).includes(bytes));
  return { keys, memory, evicted, occurs };
}

/** Numbers that look like chance and are the same in every run. */
function* numbers(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    yield state >>> 8;
  }
}

function keyOf(n: number): Buffer {
  return Buffer.from(`the key number ${n}`.padEnd(KEY_BYTES, '~'));
}

/** Ids of every length and of every look that the tables must part. */
function idOf(n: number): string {
  const shapes = [`AK${n}`, `AKIA${String(n).padStart(16, '0')}`, `${n}_`.padEnd(24, 'x'), `${n}_`.padEnd(25, 'x')];
  return shapes[n % 6] ?? `${n}_`.padEnd(n % 6 === 4 ? 61 : 128, 'long');
}

const TURNS_OF_FACTS: readonly Partial<AccessKeyFacts>[] = [
  {},
  { expiresAt: 1_800_000_000_123, createdAt: 1_700_000_000_456 },
  { services: ['s3'] },
  { services: ['execute-api', 's3'], version: 4_294_967_295 },
  { services: [], expiresAt: 0 },
  { version: 255, createdAt: 2 ** 48 - 1 },
  { version: 256 },
  { createdAt: 2 ** 48 },
  { createdAt: -1.5 },
];

t.test('behaves as a map does, whatever happens to it in which order', (t) => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const chance = numbers(seed);
    const { keys } = hold(1_000_000);
    const model = new Map<string, { readonly facts: AccessKeyFacts; readonly key: Buffer }>();
    for (let step = 0; step < 5_000; step += 1) {
      const n = chance.next().value % 1_500;
      const id = idOf(n);
      const action = chance.next().value % 10;
      if (action < 6) {
        const facts = factsOf(id, TURNS_OF_FACTS[chance.next().value % TURNS_OF_FACTS.length]);
        const key = keyOf(chance.next().value);
        const isOutdated = facts.version < (model.get(id)?.facts.version ?? 0);
        if (keys.put(facts, key) !== (isOutdated ? 'outdated' : 'held')) t.fail(`seed ${seed}, step ${step}: put`);
        if (!isOutdated) model.set(id, { facts, key });
      } else if (action < 9) {
        if (keys.delete(id) !== model.delete(id)) t.fail(`seed ${seed}, step ${step}: delete ${id}`);
      } else if (chance.next().value % 500 === 0) {
        keys.wipe();
        model.clear();
      }
      const wanted = idOf(chance.next().value % 1_500);
      const found = keys.get(wanted);
      const expected = model.get(wanted);
      if (keys.size !== model.size || keys.has(wanted) !== model.has(wanted)) t.fail(`seed ${seed}, step ${step}`);
      if (expected && !expected.key.equals(found?.key ?? Buffer.alloc(0)))
        t.fail(`seed ${seed}, step ${step}: ${wanted}`);
    }
    const held = [...keys.entries()];
    t.equal(held.length, model.size, `seed ${seed}`);
    for (const { facts, key } of held) {
      const expected = model.get(facts.accessKeyId);
      if (!isDeepStrictEqual(facts, expected?.facts)) t.fail(`seed ${seed}: the facts of ${facts.accessKeyId}`);
      if (!expected?.key.equals(key)) t.fail(`seed ${seed}: the key of ${facts.accessKeyId}`);
    }
  }
  t.end();
});

t.test('at the bound as many as fit stay, long ids count for more, and all that are there are right', (t) => {
  for (let seed = 1; seed <= 5; seed += 1) {
    const chance = numbers(seed);
    const { keys, evicted, memory } = hold(1_000);
    for (let step = 0; step < 20_000; step += 1) {
      const n = chance.next().value % 5_000;
      if (keys.put(factsOf(idOf(n), TURNS_OF_FACTS[n % TURNS_OF_FACTS.length]), keyOf(n)) !== 'held')
        t.fail(`no room in ${step}`);
      if (!keys.has(idOf(n))) t.fail(`${idOf(n)} did not stay`);
      if (chance.next().value % 20 === 0) keys.delete(idOf(chance.next().value % 5_000));
    }
    t.ok(keys.size <= 1_000 && keys.size > 500, `${keys.size} are held`);
    t.equal(keys.evicted, evicted.length);
    t.equal(memory.length, 2, 'in the memory that was meant for them, and for their facts');
    for (const { facts, key } of keys.entries()) {
      const n = Number.parseInt(facts.accessKeyId.replace(/^AK(IA)?/, ''), 10);
      if (facts.accessKeyId !== idOf(n) || !keyOf(n).equals(key)) t.fail(`${facts.accessKeyId} has another's key`);
      const expected = factsOf(idOf(n), TURNS_OF_FACTS[n % TURNS_OF_FACTS.length]);
      if (!isDeepStrictEqual(facts, expected)) t.fail(`${facts.accessKeyId} has another's facts`);
    }
  }
  t.end();
});

t.test('ids that share a hash are told apart', (t) => {
  // Of so many ids some pairs share all 32 bits, under any seed.
  for (const width of [20, 40]) {
    const many = 120_000;
    const { keys } = hold(2 * many);
    const id = (n: number): string => `AK${n}`.padEnd(width, 'x');
    for (let n = 0; n < many; n += 1) keys.put(factsOf(id(n)), keyOf(n));
    t.equal(keys.size, many);
    for (let n = 0; n < many; n += 1) if (!keyOf(n).equals(keys.get(id(n))?.key ?? Buffer.alloc(0))) t.fail(id(n));
  }
  t.end();
});

t.test('an id that only begins like one that is held is not found', (t) => {
  // Among so many, some have the same place and the same six bits of their hash.
  const { keys } = hold(20_000);
  const ids = Array.from({ length: 10_000 }, (_, n) => `AKIA${String(n).padStart(16, '0')}`);
  for (const [n, id] of ids.entries()) keys.put(factsOf(id), keyOf(n));
  const found = ids.flatMap((id) =>
    Array.from({ length: 60 }, (_, n) => `${id}${n}`).filter((other) => keys.has(other)),
  );
  t.same(found, []);
  t.end();
});

t.test('what is in use stays at the bound, what is pinned stays for good', (t) => {
  const inUse = new Set(Array.from({ length: 50 }, (_, i) => `USED${i}`));
  const { keys, evicted } = hold(400, inUse);
  for (const id of inUse) keys.put(factsOf(id), keyOf(1));
  for (let i = 0; i < 100; i += 1) keys.put(factsOf(`PINNED${i}`), keyOf(2), { isPinned: true });
  for (let i = 0; i < 100; i += 1) keys.put(factsOf(`PINNED${i}`), keyOf(3));
  for (let i = 0; i < 50; i += 1) keys.put(factsOf(`LOOKEDUP${i}`), keyOf(4));
  for (let i = 0; i < 5_000; i += 1) {
    keys.put(factsOf(`PASSING${i}`), keyOf(4));
    for (let one = 0; one < 50; one += 1) keys.get(`LOOKEDUP${one}`);
  }
  t.equal(keys.size, 400);
  t.same(
    evicted.filter((id) => !id.startsWith('PASSING')),
    [],
  );

  const full = hold(3);
  for (const id of ['A', 'B', 'C']) full.keys.put(factsOf(id), keyOf(5), { isPinned: true });
  t.equal(full.keys.put(factsOf('D'), keyOf(6)), 'no-room', 'no room is said, not made');
  t.equal(full.keys.put(factsOf('A'), keyOf(7)), 'held', 'a pinned one can still be replaced');
  t.same([full.keys.size, full.keys.has('D'), full.keys.evicted], [3, false, 0]);
  t.end();
});

t.test('key bytes are gone from memory once their key is replaced, deleted, evicted or wiped', (t) => {
  const { keys, memory, occurs } = hold(10);
  const put = (id: string, n: number): boolean => keys.put(factsOf(id), keyOf(n)) === 'held';
  put('A', 1);
  t.equal(occurs(keyOf(1)), true, 'the test sees what is there');
  put('A', 2);
  t.same([occurs(keyOf(1)), occurs(keyOf(2))], [false, true], 'replaced');
  const copy = keys.get('A');
  keys.delete('A');
  t.equal(occurs(keyOf(2)), false, 'deleted');
  t.ok(copy && keyOf(2).equals(copy.key), 'a copy is its owner’s to wipe');
  const longId = 'L'.repeat(128);
  put(longId, 3);
  keys.delete(longId);
  t.equal(occurs(keyOf(3)), false, 'deleted, with a long id');
  // A free block names the next free one; the ids were letters, which are no zeros in any form.
  const left = memory.flatMap((piece) => [...piece]).filter((byte) => byte !== 0);
  t.ok(left.length <= 4, `of ids and facts nothing is left either (${left.length} bytes)`);
  for (let n = 100; n < 111; n += 1) put(`B${n}`, n);
  const occurring = Array.from({ length: 11 }, (_, i) => 100 + i).filter((n) => occurs(keyOf(n)));
  t.equal(occurring.length, 10, 'evicted');
  keys.wipe();
  t.equal(
    memory.every((piece) => piece.every((byte) => byte === 0)),
    true,
    'wiped',
  );
  t.same([keys.size, keys.get('B110')], [0, undefined]);
  t.end();
});

t.test('entries can be walked while the table changes', (t) => {
  const { keys } = hold(10_000);
  for (let n = 0; n < 3_000; n += 1) keys.put(factsOf(`KEPT${n}`), keyOf(n));
  for (let n = 0; n < 1_000; n += 1) keys.put(factsOf(`GOING${n}`), keyOf(n));
  const seen = new Map<string, number>();
  let step = 0;
  for (const { facts } of keys.entries()) {
    seen.set(facts.accessKeyId, (seen.get(facts.accessKeyId) ?? 0) + 1);
    keys.delete(`GOING${step}`);
    keys.put(factsOf(`COMING${step}`), keyOf(step));
    step += 1;
  }
  const kept = [...seen].filter(([id]) => id.startsWith('KEPT'));
  t.equal(kept.length, 3_000);
  t.ok(
    kept.every(([, times]) => times === 1),
    'each exactly once',
  );
  const walk = keys.facts();
  walk.next();
  keys.wipe();
  t.equal(walk.next().done, true);
  t.end();
});

t.test('ids of all lengths and characters come back as they are, whatever they begin or end alike with', (t) => {
  const characters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_';
  const ids = Array.from(characters).flatMap((one) =>
    ['', 'AKI', 'AKIA0123456789ABCDE'].map((begin) => `${begin}${one}`),
  );
  for (let length = 1; length <= 128; length += 1) {
    ids.push('0'.repeat(length), 'z'.repeat(length), `${'_'.repeat(length - 1)}A`, `A${'_'.repeat(length - 1)}`);
  }
  const distinct = [...new Set(ids)];
  const { keys } = hold(10_000);
  for (const [n, id] of distinct.entries()) {
    keys.put(factsOf(id, TURNS_OF_FACTS[n % TURNS_OF_FACTS.length]), keyOf(n));
  }
  t.equal(keys.size, distinct.length);
  t.same([...keys.facts()].map(({ accessKeyId }) => accessKeyId).sort(), distinct.toSorted());
  const wrong = distinct.filter((id, n) => !keyOf(n).equals(keys.get(id)?.key ?? Buffer.alloc(0)));
  t.same(wrong, []);
  for (const id of distinct.filter((_, n) => n % 2 === 0)) keys.delete(id);
  const left = distinct.filter((_, n) => n % 2 === 1);
  t.same([...keys.facts()].map(({ accessKeyId }) => accessKeyId).sort(), left.toSorted());
  t.end();
});

t.test(
  'a key with an id of 20 characters and usual facts takes at most 64 bytes, any at most what is reckoned with',
  (t) => {
    const many = 100_000;
    for (const { further, most } of [
      { further: {}, most: 64 },
      { further: { expiresAt: 1_800_000_000_123 }, most: mostBytesAKey(KEY_BYTES) },
    ]) {
      const { keys } = hold(2 * many);
      for (let n = 0; n < many; n += 1) keys.put(factsOf(`AKIA${String(n).padStart(16, '0')}`, further), keyOf(n));
      t.ok(keys.bytes / many <= most, `${(keys.bytes / many).toFixed(1)} bytes, of ${most}`);
    }
    t.end();
  },
);

t.test('what cannot be an access key id or a key is refused, and never found', (t) => {
  const { keys } = hold(10);
  for (const id of ['', 'x'.repeat(129), 'ä', 'AK\u0100', '\ud83d\ude00', 'AK-1', 'AK 1', 'AK\0', 'AK[', '\x7f']) {
    t.throws(() => keys.put(factsOf(id), keyOf(1)), RangeError, JSON.stringify(id));
    t.same([keys.get(id), keys.has(id), keys.delete(id)], [undefined, false, false]);
  }
  for (const length of [0, 31, 33, 64]) t.throws(() => keys.put(factsOf('AK1'), Buffer.alloc(length)), RangeError);
  t.throws(() => new HeldKeys({ keyBytes: 32, mostKeys: 10, hashSeed: Buffer.alloc(4) }), RangeError);
  t.equal(keys.size, 0);
  t.end();
});

t.test('the newest day of use is remembered, and nothing older undoes it', (t) => {
  const used = new UsedAccessKeys({ mostKeys: 100, hashSeed: HASH_SEED });
  used.mark('AK1', day('20261122'));
  used.mark('AK2', day('20261120'));
  used.mark('AK1', day('20261101'));
  t.same([...used.since(day('20261121'))], ['AK1']);
  t.same([...used.since(day('20261120'))].sort(), ['AK1', 'AK2']);
  t.same([...used.entries()].map(({ accessKeyId, date }) => `${accessKeyId} ${date}`).sort(), [
    'AK1 20261122',
    'AK2 20261120',
  ]);
  t.equal(used.mark('AK1', day('20261122')), false, 'the same day again is no news');
  t.equal(used.mark('AK1', day('20261123')), true);
  t.equal(used.dayOf('AK1'), '20261123');
  t.equal(used.dayOf('AK3'), undefined);
  for (let i = 0; i < 1_000; i += 1) used.mark(`AK${i}`, day('20261122'));
  t.equal(used.size, 100, 'bounded');
  t.end();
});
