import {
  dayStreamFrames,
  decodeKeyAnswer,
  encodeKeyAnswer,
  keyAnswer,
  KeydError,
  encodeSealedAnswer,
  readDayStream,
  readSealedAnswer,
  Recipient,
  sealTo,
  SERVICE_KEYS,
  WrongStream,
  type DayStreamQuestion,
  type StreamedKey,
} from '@sigv4-keyd/hop-protocol';
import { hold, type Bound, type Target } from '../engine/target.js';
import { day } from '../../support/days.js';

const COVERS = ['packages/hop-protocol/dist/day-stream/'];
const REQUEST = { date: day('20261122'), which: 'all' } as const;
const SCOPE = { region: 'eu-west-1', service: 's3' };
const RECIPIENT = new Recipient();
const QUESTION: DayStreamQuestion = { request: REQUEST, scope: SCOPE, hop: SERVICE_KEYS, recipient: RECIPIENT };
const KEYS: readonly StreamedKey[] = [
  keyOf('AK1', {}),
  keyOf('AK2', { expiresAt: 2_000 }),
  keyOf('AK3', { services: ['s3', 'sqs'] }),
  keyOf('AK4', { services: ['s3', 'sqs'], expiresAt: 3_000 }),
  keyOf('AK5', { services: [] }),
];
/** A page may have two mebibytes; its length comes before it, so that one is held for whoever claims as much. */
const MEMORY: Bound = { atLeast: 2_200_000, perByte: 64 };

/** The bytes of a stream, however they are cut. */
const stream: Target = {
  name: 'day-stream',
  covers: COVERS,
  seeds: [await streamOf([KEYS]), await streamOf([KEYS.slice(0, 2), KEYS.slice(2)]), await streamOf([])],
  words: ['\x01\0\0\0', '\x02\0\0\0', '\x03\0\0\0\x06', '\0\0\0\0\0\x05', '"which":"pinned"', 'AK9'],
  memory: MEMORY,
  async run(input) {
    const whole = await keysIn(input, input.length);
    const inPieces = await keysIn(input, 7);
    hold(JSON.stringify(whole) === JSON.stringify(inPieces), 'what comes of a stream does not depend on how it is cut');
    if (whole.problem !== undefined) return false;
    const again = await keysIn(await streamOf([whole.keys]), 1 << 20);
    hold(JSON.stringify(again) === JSON.stringify(whole), 'what was read is written and read again');
    return true;
  },
};

/** A page alone, in a stream whose head and end are right. */
const page: Target = {
  name: 'key-page',
  covers: COVERS,
  seeds: [pageOf(await streamOf([KEYS])), pageOf(await streamOf([KEYS.slice(3)]))],
  words: ['\x03AK0', '\x00\x00\x00\x00\x00\x01', '\x02s3', '\x03sqs', '\x01', '\x02', '\x03'],
  memory: MEMORY,
  async run(input) {
    const framed = (count: number): Buffer =>
      Buffer.concat([frame(1, Buffer.from(JSON.stringify({ ...REQUEST, ...SCOPE }))), frame(2, input), endOf(count)]);
    const { keys } = await keysIn(framed(0), 1 << 20);
    if (keys.length === 0) return false;
    const counted = await keysIn(framed(keys.length), 1 << 20);
    hold(counted.problem === undefined && counted.keys.length === keys.length, 'a page that is read is whole');
    const again = pageOf(await streamOf([keys]));
    hold(again.length <= input.length, 'the writer needs no more bytes');
    const read = (await keysIn(await streamOf([keys]), 1 << 20)).keys;
    hold(JSON.stringify(read) === JSON.stringify(keys), 'what was read is written and read again');
    return true;
  },
};

/** The answer to a question for three access keys, as JSON. */
const answer: Target = {
  name: 'key-answer',
  covers: [
    'packages/hop-protocol/dist/key-answer',
    'packages/hop-protocol/dist/hops',
    'packages/hop-protocol/dist/schemas',
  ],
  seeds: [
    answerOf([
      { accessKeyId: 'AK1', createdAt: 1, services: ['s3'], expiresAt: 5 },
      { accessKeyId: 'AK2', createdAt: 0 },
    ]),
    answerOf([
      { accessKeyId: 'AK1', createdAt: 1 },
      { accessKeyId: 'AK2', createdAt: 1 },
    ]).replace('s3', 'sqs'),
  ],
  words: ['"AK1"', '"AK3"', '"unknown"', '"issued":', '"absent":', 'null', '1e400', '-1', '{}', '[]', '"__proto__":'],
  mostBytes: 2048,
  run(input) {
    const message = keyAnswer.safeParse(parsed(input.toString('utf8')));
    if (!message.success) return false;
    const request = { date: REQUEST.date, accessKeyIds: ['AK1', 'AK2', 'AK3'] };
    try {
      const read = decodeKeyAnswer(SERVICE_KEYS, request, SCOPE, message.data);
      hold(read.issued.size + read.absent.size === 3, 'every access key that was asked for, once');
      const written = encodeKeyAnswer(SERVICE_KEYS, REQUEST.date, SCOPE, read);
      // The last digit of base64 has bits that say nothing.
      const issued = message.data.issued.map((one) => ({
        ...one,
        key: Buffer.from(one.key, 'base64').toString('base64'),
      }));
      hold(sorted(written) === sorted({ ...message.data, issued }), 'what was read is what is written');
      return true;
    } catch (error) {
      if (error instanceof KeydError) return false;
      throw error;
    }
  },
};

/** The same question answered sealed: what is not as it was sealed is refused, and is the parent's failure. */
const sealed: Target = {
  name: 'sealed-key-answer',
  covers: ['packages/hop-protocol/dist/sealed-keys/'],
  seeds: [sealedAnswerOf(['AK1', 'AK2'], 'AK3'), sealedAnswerOf([], 'AK1')],
  words: ['\x01\0\0\0', '\x04\0\0\0', '\x05\0\0\0', '\x03\0\0\0\x06', '"sealedBy":', '"AK3"'],
  memory: MEMORY,
  async run(input) {
    const request = { date: REQUEST.date, accessKeyIds: ['AK1', 'AK2', 'AK3'] };
    try {
      const read = await readSealedAnswer(SERVICE_KEYS, { request, scope: SCOPE, recipient: RECIPIENT }, input);
      hold(read.issued.size + read.absent.size === 3, 'every access key that was asked for, once');
      return true;
    } catch (error) {
      if (error instanceof KeydError && error.code === 'parent-unavailable') return false;
      throw error;
    }
  },
};

export const DAY_STREAMS: readonly Target[] = [stream, page, answer, sealed];

function sealedAnswerOf(ids: readonly string[], disabled: string): Buffer {
  const sealing = sealTo(RECIPIENT.publicKey, SERVICE_KEYS.path);
  const issued = new Map(
    ids.map((id) => {
      const { facts, key } = keyOf(id, {});
      return [id, { facts, key: SERVICE_KEYS.importKey(key) }];
    }),
  );
  const absent = new Map([[disabled, 'disabled' as const]]);
  return encodeSealedAnswer(SERVICE_KEYS, { date: REQUEST.date, scope: SCOPE, sealing }, { issued, absent });
}

function keyOf(accessKeyId: string, more: Partial<StreamedKey['facts']>): StreamedKey {
  return { facts: { accessKeyId, createdAt: 1_000, version: 1, ...more }, key: Buffer.alloc(32, accessKeyId) };
}

function answerOf(issued: readonly object[]): string {
  const key = Buffer.alloc(32, 1).toString('base64');
  return JSON.stringify({
    ...{ date: REQUEST.date, ...SCOPE },
    issued: issued.map((facts) => ({ version: 1, key, ...facts })),
    absent: [{ accessKeyId: 'AK3', reason: 'disabled' }],
  });
}

async function streamOf(pages: readonly (readonly StreamedKey[])[]): Promise<Buffer> {
  const frames: Buffer[] = [];
  // The writer overwrites what it is given.
  const copies = pages.map((page) => page.map(({ facts, key }) => ({ facts, key: Buffer.from(key) })));
  const stream = { request: REQUEST, scope: SCOPE, pages: eachOf(copies) };
  for await (const one of dayStreamFrames(SERVICE_KEYS, stream)) frames.push(one);
  return Buffer.concat(frames);
}

interface KeysRead {
  readonly keys: readonly StreamedKey[];
  readonly problem?: string;
}

async function keysIn(bytes: Buffer, cut: number): Promise<KeysRead> {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += cut) parts.push(bytes.subarray(at, at + cut));
  const keys: StreamedKey[] = [];
  try {
    for await (const some of readDayStream(QUESTION, eachOf(parts))) {
      keys.push(...some.map(({ facts, key }) => ({ facts, key: Buffer.from(key) })));
    }
    return { keys };
  } catch (error) {
    const isCut =
      error instanceof Error && /^the stream (?:ends within a frame|was cut: it has no end)$/.test(error.message);
    if (!isCut && !(error instanceof WrongStream)) throw error;
    return { keys, problem: error.message };
  }
}

async function* eachOf<T>(things: readonly T[]): AsyncGenerator<T, void, undefined> {
  for (const thing of things) yield await Promise.resolve(thing);
}

/** The payload of the second frame. */
function pageOf(bytes: Buffer): Buffer {
  const start = 5 + bytes.readUInt32BE(1);
  return bytes.subarray(start + 5, start + 5 + bytes.readUInt32BE(start + 1));
}

function frame(kind: number, payload: Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(kind);
  prefix.writeUInt32BE(payload.length, 1);
  return Buffer.concat([prefix, payload]);
}

function endOf(count: number): Buffer {
  const payload = Buffer.alloc(6);
  payload.writeUIntBE(count, 0, 6);
  return frame(3, payload);
}

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** JSON with its members, and the elements of its lists, in one order. */
function sorted(json: unknown): string {
  return JSON.stringify(json, (_name, value: unknown) => {
    if (Array.isArray(value)) return value.map((one) => JSON.stringify(one)).sort();
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).sort());
  });
}
