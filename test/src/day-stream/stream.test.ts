import {
  DayPull,
  dayStreamFrames,
  PageSealer,
  readDayStream,
  Recipient,
  sealTo,
  SERVICE_KEYS,
  WantedDays,
  WrongStream,
  type DaySource,
  type DayStream,
  type DayStreamQuestion,
  type DayStreamRequest,
  type DayTransfer,
  type StreamedKey,
} from '@sigv4-keyd/hop-protocol';
import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { day } from '../support/days.js';
import { VirtualClock } from '../support/virtual-clock.js';

const KEY_BYTES = 32;
const date = day('20261122');
const scope = { region: 'us-east-1', service: 's3' };
const request: DayStreamRequest = { date, which: 'all' };
const question: DayStreamQuestion = {
  request,
  scope,
  hop: { ...SERVICE_KEYS, keyBytes: KEY_BYTES },
  recipient: new Recipient(),
};

async function* from<Item>(items: Iterable<Item>): AsyncGenerator<Item> {
  for (const item of items) yield await Promise.resolve(item);
}

async function collected<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

function streamed(accessKeyId: string, more: Partial<StreamedKey['facts']> = {}): StreamedKey {
  return {
    facts: { accessKeyId, version: 1, createdAt: 7, ...more },
    key: new Uint8Array(KEY_BYTES).fill(accessKeyId.length),
  };
}

async function written(
  given: readonly (readonly StreamedKey[])[],
  asked = request,
  sealing?: DayStream['sealing'],
): Promise<Buffer> {
  const pages = given.map((page) => page.map(({ facts, key }) => ({ facts, key: Uint8Array.from(key) })));
  const frames = await collected(
    dayStreamFrames({ keyBytes: KEY_BYTES }, { request: asked, scope, sealing, pages: from(pages) }),
  );
  if (pages.flat().some(({ key }) => key.some((byte) => byte !== 0))) throw new Error('a key outlives its frame');
  return Buffer.concat(frames);
}

/** Everything that is read, copied out of its page in time, and how it ended. */
async function read(
  chunks: Iterable<Buffer>,
  asked = question,
): Promise<{ readonly keys: readonly StreamedKey[]; readonly failure: unknown }> {
  const keys: StreamedKey[] = [];
  try {
    for await (const page of readDayStream(asked, from(chunks))) {
      for (const { facts, key } of page) keys.push({ facts, key: Uint8Array.from(key) });
    }
    return { keys, failure: undefined };
  } catch (failure) {
    return { keys, failure };
  }
}

const frame = (kind: number, payload: Uint8Array, length = payload.length): Buffer => {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(kind);
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, payload]);
};
const [HEAD, PAGE, END] = [1, 2, 3];
const headOf = (head: object): Buffer => frame(HEAD, Buffer.from(JSON.stringify(head)));
const endOf = (count: number): Buffer => {
  const payload = Buffer.alloc(6);
  payload.writeUIntBE(count, 0, 6);
  return frame(END, payload);
};
const goodHead = { ...request, ...scope };

t.test('whatever is written is read, in chunks of any size', async () => {
  const services = fc.uniqueArray(fc.constantFrom('s3', 'sqs', 'execute-api', 'a'.repeat(63)), { minLength: 1 });
  const instant = fc.nat({ max: 253_402_300_799_999 });
  const entry = fc.record(
    {
      version: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
      createdAt: instant,
      expiresAt: instant,
      services,
      key: fc.uint8Array({ minLength: KEY_BYTES, maxLength: KEY_BYTES }),
    },
    { requiredKeys: ['version', 'createdAt', 'key'] },
  );
  const accessKeyId = fc.stringMatching(/^[A-Za-z0-9_]{3,128}$/);
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(accessKeyId, entry, { maxKeys: 40 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 700 }),
      async (made, pageSize, chunkSize) => {
        const keys = Object.keys(made)
          .sort()
          .map((id): StreamedKey => {
            const { key, ...facts } = made[id] ?? { key: new Uint8Array(KEY_BYTES), version: 1, createdAt: 0 };
            return { facts: { accessKeyId: id, ...facts }, key };
          });
        const pages: StreamedKey[][] = [];
        for (let at = 0; at < keys.length; at += pageSize) pages.push(keys.slice(at, at + pageSize));
        const bytes = await written(pages);
        const chunks: Buffer[] = [];
        for (let at = 0; at < bytes.length; at += chunkSize) chunks.push(bytes.subarray(at, at + chunkSize));
        const { keys: got, failure } = await read(chunks);
        return failure === undefined && isDeepStrictEqual(got, keys);
      },
    ),
    { numRuns: 200 },
  );
});

t.test('a page that is too large for a frame goes in several', async (t) => {
  const services = (n: number): readonly string[] =>
    Array.from({ length: 100 }, (_, i) => `service-${n}-${i}`.padEnd(63, 'x'));
  const page = Array.from({ length: 500 }, (_, n) =>
    streamed(`AKIA${String(n).padStart(5, '0')}`, { services: services(n) }),
  );
  const { keys, failure } = await read([await written([page])]);
  t.same([failure, keys.length], [undefined, 500]);
  t.same(keys.at(-1)?.facts.services, services(499));
});

t.test('a stream that was cut anywhere gives whole pages, and is told from one that has ended', async (t) => {
  const pages = [
    [streamed('AKIAONE'), streamed('AKIATWO', { services: ['s3'] })],
    [streamed('AKIAYES', { expiresAt: 9, services: ['s3'] })],
  ];
  const bytes = await written(pages);
  for (let length = 0; length < bytes.length; length += 1) {
    const { keys, failure } = await read([bytes.subarray(0, length)]);
    if (!(failure instanceof Error) || failure instanceof WrongStream)
      t.fail(`cut after ${length}: ${String(failure)}`);
    if (![0, 2, 3].includes(keys.length)) t.fail(`cut after ${length}: ${keys.length} keys`);
  }
  t.same((await read([bytes])).keys.length, 3);
});

t.test('what no honest parent streams is refused, with the reason', async (t) => {
  const good = await written([[streamed('AKIAONE')]]);
  const page = good.subarray(headOf(goodHead).length, -endOf(1).length);
  const [payload, entry] = [page.subarray(5), streamed('AKIAONE')];
  const edited = (at: number, byte: number): Buffer => {
    const copy = Buffer.from(payload);
    copy[at] = byte;
    return frame(PAGE, copy);
  };
  const otherServices = await written([[streamed('AKIAONE', { services: ['s3'] })]]);
  const listNumberAt = headOf(goodHead).length + 5 + 1 + 7 + 1 + 6 + 4;
  const unwritten = Buffer.from(otherServices);
  unwritten.writeUInt16BE(1, listNumberAt);
  const badService = Buffer.from(otherServices);
  badService.write('S', listNumberAt + 4);
  const cases: Readonly<Record<string, readonly [Buffer, RegExp, DayStreamQuestion?]>> = {
    'another day': [headOf({ ...goodHead, date: '20261121' }), /keys of 20261121 instead/],
    'another region': [headOf({ ...goodHead, region: 'eu-west-1' }), /keys of region eu-west-1 instead/],
    'another service': [headOf({ ...goodHead, service: 'sqs' }), /keys of service sqs instead of s3/],
    'no service': [headOf({ ...request, region: 'us-east-1' }), /keys of service \(all\)/],
    'other access keys': [headOf({ ...goodHead, which: 'pinned' }), /other access keys/],
    'another beginning': [headOf({ ...goodHead, after: 'AKIA' }), /other access keys/],
    'a head with more in it': [headOf({ ...goodHead, key: 'x' }), /head of another form/],
    'a head that is no JSON': [frame(HEAD, Buffer.from('{')), /head of another form/],
    'no head': [page, /out of its place/],
    'two heads': [Buffer.concat([headOf(goodHead), headOf(goodHead)]), /out of its place/],
    'an unknown kind of frame': [frame(6, Buffer.alloc(0)), /unknown kind 6/],
    'a head that is too long': [frame(HEAD, Buffer.alloc(0), 1_025), /frame \(head\) of 1025 bytes/],
    'a page that is too long': [
      Buffer.concat([headOf(goodHead), frame(PAGE, Buffer.alloc(0), 2 ** 32 - 1)]),
      /of 4294967295 bytes/,
    ],
    'an empty page': [Buffer.concat([headOf(goodHead), frame(PAGE, Buffer.alloc(0))]), /empty page/],
    'ids twice': [Buffer.concat([headOf(goodHead), page, page]), /AKIAONE out of order, or twice/],
    'ids out of order': [await written([[streamed('AKIATWO'), streamed('AKIAONE')]]), /AKIAONE out of order/],
    'ids before the beginning': [
      await written([[entry]], { ...request, after: 'AKIAONE' }),
      /AKIAONE out of order/,
      { ...question, request: { ...request, after: 'AKIAONE' } },
    ],
    'an id that is none': [Buffer.concat([headOf(goodHead), edited(1, 0x2f)]), /id that is none/],
    'an id that is too short': [Buffer.concat([headOf(goodHead), edited(0, 2)]), /id that is none|unknown flags/],
    'an id beyond the page': [Buffer.concat([headOf(goodHead), edited(0, 200)]), /beyond its page/],
    'unknown flags': [Buffer.concat([headOf(goodHead), edited(8, 4)]), /unknown flags/],
    'no version': [Buffer.concat([headOf(goodHead), edited(18, 0)]), /without a version/],
    'a list of services that was not written': [unwritten, /was not written/],
    'a service that is none': [badService, /service name that is none/],
    'a key that is too short': [
      Buffer.concat([headOf(goodHead), frame(PAGE, payload.subarray(0, -1))]),
      /beyond its page/,
    ],
    'a key that is too long': [
      Buffer.concat([headOf(goodHead), frame(PAGE, Buffer.concat([payload, Buffer.of(1)]))]),
      /beyond its page/,
    ],
    'a count that is too low': [Buffer.concat([headOf(goodHead), page, endOf(0)]), /end after 0 keys where 1 came/],
    'a count that is too high': [Buffer.concat([headOf(goodHead), page, endOf(2)]), /end after 2 keys where 1 came/],
    'an end that is too short': [Buffer.concat([headOf(goodHead), frame(END, Buffer.alloc(5))]), /end of another form/],
    'more after the end': [Buffer.concat([good, page]), /after the end/],
  };
  for (const [name, [bytes, reason, asked]] of Object.entries(cases)) {
    const { failure } = await read([bytes], asked);
    t.ok(failure instanceof WrongStream, name);
    t.match(failure, { message: reason }, name);
  }
});

t.test('an endless stream is given up, and its source is let go of', async (t) => {
  const state = { isClosed: false, pages: 0 };
  async function* endless(): AsyncGenerator<Buffer> {
    try {
      yield headOf(goodHead);
      for (;;) {
        const bytes = await written([[streamed(`AKIA${String(state.pages).padStart(9, '0')}`)]]);
        state.pages += 1;
        yield bytes.subarray(headOf(goodHead).length, -endOf(1).length);
      }
    } finally {
      state.isClosed = true;
    }
  }
  const source: DaySource = { pages: () => readDayStream(question, endless()) };
  const pull = new DayPull({ source, date, which: 'all', mostKeys: 50, take: () => undefined });
  await pull.advance();
  t.same([pull.isOver, pull.isFull, pull.keys], [true, true, 50], 'over, as far as there is room');
  t.same(state, { isClosed: true, pages: 51 });
});

t.test('a sealed stream is read by who asked for it, and shows no key to anyone else', async (t) => {
  const given = [[streamed('AKIAONE'), streamed('AKIAZWEI', { services: ['s3'] })], [streamed('AKIB3')]];
  const sealing = (): DayStream['sealing'] => sealTo(question.recipient.publicKey, SERVICE_KEYS.path);
  const bytes = await written(given, request, sealing());
  for (const { key } of given.flat()) t.notOk(bytes.includes(Buffer.from(key)), 'no key in it');
  t.same(await read([bytes]), { keys: given.flat(), failure: undefined });
  const pages: (readonly StreamedKey[])[] = [];
  for await (const page of readDayStream(question, from([bytes]))) pages.push(page);
  t.ok(
    pages.flat().every(({ key }) => key.every((byte) => byte === 0)),
    'overwritten once their page was taken',
  );

  t.match((await read([bytes], { ...question, recipient: new Recipient() })).failure, WrongStream, 'another asker');
  const otherHop = { ...question, hop: { ...question.hop, path: '/v1/region-keys' as const } };
  t.match((await read([bytes], otherHop)).failure, WrongStream, 'another path');
  const changed = Buffer.from(bytes);
  changed.writeUInt8(changed.readUInt8(bytes.length - 40) ^ 1, bytes.length - 40);
  t.match((await read([changed])).failure, WrongStream, 'a byte that was changed');
  const inTheClear = await written(given);
  const headEnds = (of: Buffer): number => 5 + of.readUInt32BE(1);
  const mixed = [bytes.subarray(0, headEnds(bytes)), inTheClear.subarray(headEnds(inTheClear))];
  t.match((await read(mixed)).failure, { message: /a frame \(page\) of another form/ }, 'keys in the clear after all');
  const another = await written(given, request, sealing());
  const parts = [bytes.subarray(0, headEnds(bytes)), another.subarray(headEnds(another))];
  t.match((await read(parts)).failure, WrongStream, 'pages of another answer');
});

t.test('a sealed page has a key for each entry, no more and no fewer', async (t) => {
  // Id, no flags, creation, the first version.
  const entry = Buffer.concat([Buffer.of(7), Buffer.from('AKIAONE'), Buffer.alloc(1 + 6), Buffer.of(0, 0, 0, 1)]);
  for (const keyBytes of [0, KEY_BYTES - 1, KEY_BYTES, KEY_BYTES + 1, 2 * KEY_BYTES]) {
    const { sender, key } = sealTo(question.recipient.publicKey, SERVICE_KEYS.path);
    const page = new PageSealer(key).seal(entry, Buffer.alloc(keyBytes, 7));
    const { keys, failure } = await read([headOf({ ...goodHead, sealedBy: sender }), frame(4, page), endOf(1)]);
    if (keyBytes === KEY_BYTES)
      t.match({ keys, failure }, { keys: [{ key: { length: KEY_BYTES } }], failure: undefined });
    else t.match(failure, { name: 'WrongStream', message: 'a page with more or fewer keys than entries' });
  }
});

t.test('keys are overwritten once their page was taken', async (t) => {
  const bytes = await written([[streamed('AKIAONE')], [streamed('AKIATWO')]]);
  const pages: (readonly StreamedKey[])[] = [];
  for await (const page of readDayStream(question, from([bytes]))) {
    t.same([...(page[0]?.key ?? [])], Array(KEY_BYTES).fill(7), 'good while it is looked at');
    pages.push(page);
  }
  for (const page of pages) t.same([...(page[0]?.key ?? [])], Array(KEY_BYTES).fill(0));
});

t.test('while a large page goes down, other work has its turn every thousand keys', async (t) => {
  const turns = { writing: 0, taking: 0 };
  let now: keyof typeof turns = 'writing';
  let isOver = false;
  const count = (): void => {
    turns[now] += 1;
    if (!isOver) setImmediate(count);
  };
  count();
  const page = Array.from({ length: 5_000 }, (_, n) => streamed(`AKIA${String(n).padStart(16, '0')}`));
  const frames = await collected(dayStreamFrames(SERVICE_KEYS, { request, scope, pages: from([page]) }));
  now = 'taking';
  const longest = { take: 0 };
  const pull = new DayPull({
    ...{ source: { pages: () => readDayStream(question, from(frames)) }, date, which: 'all', mostKeys: 5_000 },
    take: (keys) => (longest.take = Math.max(longest.take, keys.length)),
  });
  await pull.advance();
  isOver = true;
  t.equal(pull.keys, 5_000);
  t.ok(turns.writing >= 5, `${turns.writing} turns while it is written`);
  t.ok(turns.taking >= 5, `${turns.taking} turns while it is taken`);
  t.ok(longest.take <= 1_000);
});

t.test('a pull goes on where it was cut, and begins anew where it was lied to', async (t) => {
  const all = Array.from({ length: 9 }, (_, n) => streamed(`AKIA${n}0`));
  const endings: (Error | undefined)[] = [new Error('cut'), new WrongStream('a lie'), new Error('cut'), undefined];
  const asked: (string | undefined)[] = [];
  const source: DaySource = {
    async *pages({ after = '' }) {
      asked.push(after);
      const ending = endings.shift();
      const rest = all.filter(({ facts }) => facts.accessKeyId > after);
      for (const key of ending ? rest.slice(0, 4) : rest) yield [await Promise.resolve(key)];
      if (ending) throw ending;
    },
  };
  const taken: string[] = [];
  const take = (keys: readonly StreamedKey[]): void => void taken.push(...keys.map(({ facts }) => facts.accessKeyId));
  const begun: number[] = [];
  const onBegin = (): void => void begun.push(taken.length);
  const pull = new DayPull({ source, date, which: 'all', mostKeys: 77, take, onBegin });
  for (const keys of [4, 0, 4]) {
    await t.rejects(pull.advance(), { code: 'parent-unavailable' });
    t.same([pull.keys, pull.isOver], [keys, false]);
  }
  await Promise.all([pull.advance(), pull.advance()]);
  t.same([pull.keys, pull.isOver], [9, true]);
  t.same(asked, ['', 'AKIA30', '', 'AKIA30'], 'after the last whole page; from the beginning after the lie');
  await pull.advance();
  t.equal(asked.length, 4, 'what is complete is not asked for again');
  t.equal(new Set(taken).size, 9);
  t.same(begun, [0, 8], 'told when it is from the beginning again');
});

t.test('what is wanted is brought once a day, what is pinned again and again', async (t) => {
  const clock = new VirtualClock('2026-11-22T12:00:00Z');
  const begun: string[] = [];
  const state = { isParentUp: false, isFull: false };
  const begin = (wantedDate: string, which: string): DayTransfer => {
    begun.push(`${wantedDate}/${which}`);
    const transfer = {
      isOver: false,
      isFull: false,
      advance: (): Promise<void> => {
        if (!state.isParentUp) return Promise.reject(new Error('down'));
        transfer.isOver = true;
        transfer.isFull = state.isFull;
        return Promise.resolve();
      },
    };
    return transfer;
  };
  const wanted = new WantedDays({ sets: ['pinned', 'all'], begin, clock, random: () => 0.5 });
  await t.rejects(wanted.bring(date), /down/);
  t.notOk(wanted.newest(date, 'pinned')?.isOver, 'under way');
  state.isParentUp = true;
  await wanted.bring(date);
  t.same(begun.splice(0), ['20261122/pinned', '20261122/all'], 'goes on with what was begun');
  await clock.advance(50 * 60_000 - 1);
  await wanted.bring(date);
  t.same(begun.splice(0), []);
  await clock.advance(1);
  await wanted.bring(date);
  t.same(begun.splice(0), ['20261122/pinned']);
  state.isFull = true;
  t.same(wanted.daysCutShort, []);
  await wanted.bring(day('20261123'));
  t.same(wanted.daysCutShort, ['20261123']);
  t.same(begun.splice(0), ['20261123/pinned', '20261123/all']);
  state.isParentUp = false;
  await t.rejects(wanted.bringSet(date, 'pinned', 0));
  t.ok(wanted.newest(date, 'pinned')?.isOver, 'with the parent down, what came before is the newest');
  await clock.moveTo('2026-11-23T00:00:00Z');
  await wanted.bring(day('20261123')).catch(() => undefined);
  t.notOk(wanted.newest(date, 'all')?.isOver, 'of a day that is over nothing is remembered');
});
