import { sha256Hex } from '@sigv4-keyd/sigv4-core';
import t from 'tap';
import { chunked } from '../edge-verifier/chunked-client.js';
import { signed, wireOf, type Message } from '../edge-verifier/client.js';
import { checkAftermath, each, runAttacks, type Attack } from './attacks.js';
import { withFrames, type Chunk, type Frames } from './chunk-frames.js';
import { startFronts } from './fronts.js';
import { RawClient } from './raw-client.js';
import { resigned } from './resigned.js';
import { changeHeader, withHeader } from './tampering.js';
import { BODY, TARGET, type Vehicle } from './vehicle.js';

const OTHER = Buffer.alloc(BODY.length, 'what an attacker would store; ');

const isHashed = ({ mode }: Vehicle): boolean => mode === 'exact' || mode === 'body';
const isChunked = ({ mode }: Vehicle): boolean => mode.startsWith('streaming-');
const signsChunks = ({ mode }: Vehicle): boolean => mode.startsWith('streaming-signed');
const hasTrailers = ({ mode }: Vehicle): boolean => mode.endsWith('-trailer');
const signsTrailers = ({ mode }: Vehicle): boolean => mode === 'streaming-signed-trailer';

function withBody(message: Message, body: Buffer): Message {
  return { ...message, body };
}

const HASHED: readonly Attack[] = [
  ...each(
    [
      ['another body of the same length', OTHER],
      ['the body without its last byte', BODY.subarray(0, -1)],
      ['the body and a byte more', Buffer.concat([BODY, Buffer.of(0)])],
      ['the body twice', Buffer.concat([BODY, BODY])],
      ['no body', Buffer.alloc(0)],
    ] as const,
    ([name, body]) => ({
      name,
      signed: isHashed,
      reasons: ['payload-hash-mismatch', 'signature-mismatch'],
      make: (honest) => withBody(honest, body),
    }),
  ),
  {
    name: 'a body where none was signed',
    honest: { body: '' },
    signed: isHashed,
    reasons: ['payload-hash-mismatch', 'signature-mismatch'],
    make: (honest) => withBody(honest, BODY),
  },
  {
    name: 'another body, and its hash in place of the signed one',
    signed: ({ mode, mechanism }) => mode === 'exact' && mechanism === 'header',
    reasons: ['signature-mismatch'],
    make: (honest) =>
      withBody(
        changeHeader(honest, 'x-amz-content-sha256', () => sha256Hex(OTHER)),
        OTHER,
      ),
  },
  {
    name: 'a checksum in a signed header that is not of this body',
    honest: { headers: [['x-amz-checksum-crc32', 'QjNtxQ==']], body: 'what was meant to be stored' },
    signed: (vehicle) => (isHashed(vehicle) || isChunked(vehicle)) && vehicle.mechanism === 'header',
    reasons: ['checksum-mismatch'],
    make: (_honest, vehicle) => vehicle.sign({ headers: [['x-amz-checksum-crc32', 'AAAAAA==']] }),
  },
];

function changeChunk(message: Message, at: number, change: (chunk: Chunk) => Chunk): Message {
  return withFrames(message, ({ chunks, trailers }) => ({
    trailers,
    chunks: chunks.map((chunk, index) => (index === (at < 0 ? chunks.length + at : at) ? change(chunk) : chunk)),
  }));
}

function arranged(message: Message, arrange: (chunks: readonly Chunk[]) => readonly (Chunk | undefined)[]): Message {
  return withFrames(message, ({ chunks, trailers }) => ({
    trailers,
    chunks: arrange(chunks).filter((chunk) => chunk !== undefined),
  }));
}

const withoutSignature = (line: string): string => line.replace(/;.*/, '');
const ofBody = ['chunk-signature-mismatch', 'decoded-length-mismatch', 'checksum-mismatch'] as const;

const CHUNKS: readonly Attack[] = [
  ...each([0, 1, 2, -1], (at) => ({
    name: `chunk ${at} without its signature`,
    signed: signsChunks,
    reasons: ['malformed-chunk'],
    make: (honest) => changeChunk(honest, at, ({ line, data }) => ({ line: withoutSignature(line), data })),
  })),
  ...each([0, 1, 2, -1], (at) => ({
    name: `chunk ${at} with a made-up signature`,
    signed: signsChunks,
    reasons: ['chunk-signature-mismatch'],
    make: (honest) =>
      changeChunk(honest, at, ({ line, data }) => ({
        line: `${withoutSignature(line)};chunk-signature=${'0'.repeat(64)}`,
        data,
      })),
  })),
  ...each([0, 1, 2], (at) => ({
    name: `other data in chunk ${at}`,
    signed: isChunked,
    reasons: ofBody,
    make: (honest) => changeChunk(honest, at, ({ line, data }) => ({ line, data: OTHER.subarray(0, data.length) })),
  })),
  ...each([1, 2], (at) => ({
    name: `the signature of the chunk before in chunk ${at}`,
    signed: signsChunks,
    reasons: ['chunk-signature-mismatch'],
    make: (honest) =>
      withFrames(honest, ({ chunks, trailers }) => ({
        trailers,
        chunks: chunks.map(({ line, data }, index) =>
          index === at
            ? { line: withoutSignature(line) + (/;.*/.exec(chunks[at - 1]?.line ?? '')?.[0] ?? ''), data }
            : { line, data },
        ),
      })),
  })),
  {
    name: 'the first two chunks in the other order',
    signed: isChunked,
    reasons: ofBody,
    make: (honest) => arranged(honest, ([first, second, ...rest]) => [second, first, ...rest]),
  },
  {
    name: 'the first chunk twice',
    signed: isChunked,
    reasons: [...ofBody, 'chunk-too-small', 'body-too-large'],
    make: (honest) => arranged(honest, ([first, ...rest]) => [first, first, ...rest]),
  },
  ...each([0, 1, 2], (at) => ({
    name: `chunk ${at} left out`,
    signed: isChunked,
    reasons: [...ofBody, 'chunk-too-small'],
    make: (honest) => arranged(honest, (chunks) => chunks.filter((_chunk, index) => index !== at)),
  })),
  {
    name: 'the chunks of another request',
    signed: signsChunks,
    reasons: ['chunk-signature-mismatch'],
    make: async (honest, vehicle) =>
      withBody(honest, (await vehicle.sign({ target: `${TARGET}-of-another`, body: OTHER })).body),
  },
  {
    name: 'the first chunk of another request, the others of this one',
    signed: signsChunks,
    reasons: ['chunk-signature-mismatch'],
    make: async (honest, vehicle) => {
      const other = await vehicle.sign({ target: `${TARGET}-of-another` });
      let first: Chunk | undefined;
      arranged(other, (chunks) => [(first = chunks[0])]);
      return arranged(honest, ([, ...rest]) => [first, ...rest]);
    },
  },
  ...each([1, 2, 3], (kept) => ({
    name: `cut behind chunk ${kept}`,
    signed: isChunked,
    reasons: ['incomplete-body', 'decoded-length-mismatch'],
    make: (honest) => cutBehind(honest, kept),
  })),
  ...each([0, 1, 2], (kept) => ({
    name: `cut behind chunk ${kept}, and ended as if that were all`,
    signed: isChunked,
    reasons: ['decoded-length-mismatch'],
    make: (honest) => arranged(honest, (chunks) => [...chunks.slice(0, kept), chunks.at(-1)]),
  })),
  {
    name: 'cut before its last line end',
    signed: isChunked,
    reasons: ['incomplete-body'],
    make: (honest) => withBody(honest, honest.body.subarray(0, -2)),
  },
  ...each(['\0', '0\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n'], (more) => ({
    name: `${JSON.stringify(more)} behind the end`,
    signed: isChunked,
    reasons: ['malformed-chunk'],
    make: (honest) => withBody(honest, Buffer.concat([honest.body, Buffer.from(more)])),
  })),
  {
    name: 'the data without any framing',
    signed: isChunked,
    reasons: ['malformed-chunk', 'incomplete-body'],
    make: (honest) => withBody(honest, BODY),
  },
  {
    name: 'no body',
    signed: isChunked,
    reasons: ['incomplete-body', 'decoded-length-mismatch'],
    make: (honest) => withBody(honest, Buffer.alloc(0)),
  },
];

function cutBehind(message: Message, chunks: number): Message {
  let length = 0;
  withFrames(message, (frames) => {
    for (const { line, data } of frames.chunks.slice(0, chunks)) length += line.length + data.length + 4;
    return frames;
  });
  return withBody(message, message.body.subarray(0, length));
}

const SIZES = ['0x2000', '+2000', '-2000', '02000', ' 2000', '2000 ', '2000,', '2g', '', 'zz', '2000;a=b', '2000;'];

const FRAMING: readonly Attack[] = [
  ...each(SIZES, (size) => ({
    name: `a chunk whose size is written ${JSON.stringify(size)}`,
    signed: isChunked,
    reasons: ['malformed-chunk'],
    make: (honest) => changeChunk(honest, 0, ({ line, data }) => ({ line: line.replace(/^[0-9a-f]+/, size), data })),
  })),
  ...each(['ffffffffffff', 'ffffffff', '7fffffff', '4e21'], (size) => ({
    name: `a chunk that says it has ${size} bytes`,
    signed: isChunked,
    reasons: ['decoded-length-mismatch', 'chunk-too-large', 'malformed-chunk'],
    make: (honest) => changeChunk(honest, 0, ({ line, data }) => ({ line: line.replace(/^[0-9a-f]+/, size), data })),
  })),
  {
    name: 'a chunk with an extension behind its signature',
    signed: signsChunks,
    reasons: ['malformed-chunk'],
    make: (honest) => changeChunk(honest, 0, ({ line, data }) => ({ line: `${line};a=b`, data })),
  },
  {
    name: 'a chunk with two signatures',
    signed: signsChunks,
    reasons: ['malformed-chunk'],
    make: (honest) =>
      changeChunk(honest, 0, ({ line, data }) => ({ line: `${line};chunk-signature=${'0'.repeat(64)}`, data })),
  },
  {
    name: 'a line that never ends',
    signed: isChunked,
    reasons: ['malformed-chunk', 'body-too-large'],
    make: (honest) => withBody(honest, Buffer.alloc(BODY.length * 2, '0')),
  },
  {
    name: 'bare line feeds',
    signed: isChunked,
    reasons: ['malformed-chunk'],
    make: (honest) => withBody(honest, Buffer.from(honest.body.toString('latin1').replaceAll('\r\n', '\n'), 'latin1')),
  },
  ...each([1_024, 8_191], (chunkBytes) => ({
    name: `chunks of ${chunkBytes} bytes, to make work`,
    signed: (vehicle) => isChunked(vehicle) && vehicle.algorithm === 'AWS4-HMAC-SHA256',
    reasons: ['chunk-too-small', 'body-too-large'],
    make: (_honest, vehicle) => chunked({ kind: modeOf(vehicle), data: BODY, chunkBytes }),
  })),
  ...each([0, 1, BODY.length - 1, BODY.length + 1, 2 ** 40], (length) => ({
    name: `the decoded length said to be ${length}, rightly signed`,
    signed: isChunked,
    reasons: ['decoded-length-mismatch', 'chunk-signature-mismatch', 'body-too-large'],
    make: (honest) => resigned(changeHeader(honest, 'x-amz-decoded-content-length', () => String(length))),
  })),
  ...each(['-1', '+20000', '20000.0', '2e4', '0x4e20', '', 'NaN', '20000, 20000', '9007199254740993'], (length) => ({
    name: `the decoded length ${JSON.stringify(length)}, rightly signed`,
    signed: isChunked,
    reasons: ['malformed-decoded-length'],
    make: (honest) => resigned(changeHeader(honest, 'x-amz-decoded-content-length', () => length)),
  })),
];

function modeOf({ mode }: Vehicle): 'streaming-signed' | 'streaming-signed-trailer' | 'streaming-unsigned-trailer' {
  return mode === 'streaming-signed' || mode === 'streaming-signed-trailer' ? mode : 'streaming-unsigned-trailer';
}

function trailed(message: Message, change: (lines: readonly string[]) => readonly string[]): Message {
  return withFrames(message, ({ chunks, trailers }: Frames) => ({ chunks, trailers: change(trailers) }));
}

const TRAILERS: readonly Attack[] = [
  {
    name: 'another checksum in the trailer',
    signed: hasTrailers,
    reasons: ['checksum-mismatch', 'trailer-signature-mismatch'],
    make: (honest) => trailed(honest, ([, ...rest]) => ['x-amz-checksum-crc32c:AAAAAA==', ...rest]),
  },
  {
    name: 'the checksum in another spelling',
    signed: hasTrailers,
    reasons: ['malformed-trailer', 'malformed-checksum', 'trailer-mismatch'],
    make: (honest) => trailed(honest, ([first = '', ...rest]) => [first.replace(':', ': '), ...rest]),
  },
  {
    name: 'no trailer',
    signed: hasTrailers,
    reasons: ['trailer-mismatch'],
    make: (honest) => trailed(honest, () => []),
  },
  {
    name: 'the trailer twice',
    signed: hasTrailers,
    reasons: ['trailer-mismatch'],
    make: (honest) => trailed(honest, ([first = '', ...rest]) => [first, first, ...rest]),
  },
  ...each(
    ['x-amz-acl:public-read', 'x-amz-checksum-crc32:AAAAAA==', 'x-keyd-access-key-id:AKIASPOOFED', ':', 'x'],
    (line) => ({
      name: `the trailer ${line}, which nobody announced`,
      signed: hasTrailers,
      reasons: ['trailer-mismatch'],
      make: (honest) => trailed(honest, (lines) => [line, ...lines]),
    }),
  ),
  {
    name: 'a trailer behind the signature of the trailers',
    signed: signsTrailers,
    reasons: ['malformed-trailer'],
    make: (honest) => trailed(honest, (lines) => [...lines, 'x-amz-checksum-crc32c:AAAAAA==']),
  },
  {
    name: 'the trailers without their signature',
    signed: signsTrailers,
    reasons: ['malformed-trailer'],
    make: (honest) => trailed(honest, (lines) => lines.slice(0, -1)),
  },
  ...each(['', '0'.repeat(64), '0'.repeat(63), 'A'.repeat(64)], (signature) => ({
    name: `the signature of the trailers ${JSON.stringify(signature.slice(0, 8))}, ${signature.length} digits`,
    signed: signsTrailers,
    reasons: ['trailer-signature-mismatch'],
    make: (honest) => trailed(honest, ([first = '']) => [first, `x-amz-trailer-signature:${signature}`]),
  })),
  {
    name: 'a signature of trailers where none are signed',
    signed: ({ mode }) => mode === 'streaming-unsigned-trailer',
    reasons: ['malformed-trailer'],
    make: (honest) => trailed(honest, (lines) => [...lines, `x-amz-trailer-signature:${'0'.repeat(64)}`]),
  },
  {
    name: 'trailers where the mode has none',
    signed: ({ mode }) => mode === 'streaming-signed',
    reasons: ['malformed-chunk'],
    make: (honest) => trailed(honest, () => ['x-amz-checksum-crc32c:AAAAAA==']),
  },
  ...each(
    ['x-amz-checksum-crc32c,x-amz-checksum-crc32c', 'content-length', 'x-amz-acl', '', 'x-amz-checksum-md5'],
    (names) => ({
      name: `the announced trailers ${JSON.stringify(names)}, rightly signed`,
      signed: hasTrailers,
      reasons: ['trailer-refused'],
      make: (honest) => resigned(changeHeader(honest, 'x-amz-trailer', () => names)),
    }),
  ),
];

const UNSIGNED: readonly Attack[] = [
  {
    name: 'a body that nobody signed, where such bodies are not taken',
    honest: { method: 'GET', body: '' },
    signed: ({ mode }) => mode === 'unsigned',
    reasons: ['payload-mode-refused'],
    make: (_honest, vehicle) => vehicle.sign(),
  },
  {
    name: 'a body behind a request that was signed without one',
    honest: { method: 'GET', body: '' },
    signed: ({ mode }) => mode === 'unsigned',
    reasons: ['payload-mode-refused'],
    make: (honest) => withBody(honest, BODY),
  },
];

t.test('a body is what was signed', async (t) => {
  const fronts = await startFronts(t);
  for (const [name, group] of Object.entries({ HASHED, CHUNKS, FRAMING, TRAILERS })) {
    await t.test(name.toLowerCase(), (t) => runAttacks(t, fronts, group));
  }
  await checkAftermath(t, fronts);
});

t.test('bodies that nobody signed', async (t) => {
  const payloads = ['exact', 'body', 'streaming-signed'] as const;
  const fronts = await startFronts(t, { env: { KEYD_PAYLOAD_MODES: payloads.join(',') }, inProcess: { payloads } });
  await runAttacks(t, fronts, UNSIGNED);
});

/** What a front tells of a body that it keeps. */
const TOLD_BODIES = [
  ['x-original-content-length', String(BODY.length)],
  ['x-original-transfer-encoding', 'chunked'],
] as const;

t.test('bodies that a front keeps to itself', async (t) => {
  for (const bodies of ['refused', 'declared']) {
    const fronts = await startFronts(t, {
      env: { KEYD_FORWARD_AUTH_BODIES: bodies, KEYD_PAYLOAD_MODES: 'exact,body' },
    });
    const asked = fronts.all.filter(({ name }) => name === 'forward auth, x-original');
    const ask = { all: asked, output: fronts.output };
    const unseen = each(TOLD_BODIES, ([name, value]): Attack => ({
      name: `${bodies}: ${name}, behind a request that was signed without a body`,
      honest: { method: 'GET', body: '' },
      signed: isHashed,
      reasons: ['payload-hash-mismatch', 'body-not-seen'],
      make: (honest) => withHeader(honest, name, value),
    }));
    const signed = each(['body', 'unsigned'] as const, (mode): Attack => ({
      name: `${bodies}: a body in the mode ${mode}, which nobody else could check`,
      honest: { method: 'GET', body: '' },
      signed: (vehicle) => vehicle.mode === mode,
      reasons: ['body-not-seen', 'payload-mode-refused'],
      make: async (_honest, vehicle) =>
        withHeader(withBody(await vehicle.sign(), Buffer.alloc(0)), 'x-original-content-length', String(BODY.length)),
    }));
    await runAttacks(t, ask, [...unseen, ...signed]);
  }
});

/** HTTP's own chunk. */
function inHttpChunk(data: string): string {
  return `${data.length.toString(16)}\r\n${data}\r\n`;
}

t.test('bodies without an end', async (t) => {
  const fronts = await startFronts(t, { env: { KEYD_LARGEST_BODY: '1MiB' } });
  const endless = inHttpChunk('endless '.repeat(8 * 1024));
  const inChunks = await chunked({ kind: 'streaming-signed', data: Buffer.alloc(512 * 1024), chunkBytes: 512 * 1024 });
  const firstLine = inChunks.body.subarray(0, inChunks.body.indexOf('\n') + 1).toString('latin1');
  const rows: Readonly<Record<string, readonly [message: Message, beginning: string, reason: RegExp]>> = {
    exact: [signed({ method: 'PUT', target: TARGET, body: BODY }), '', /body-too-large/],
    body: [
      signed({ method: 'PUT', target: TARGET, body: BODY, payload: { kind: 'body', sha256: sha256Hex(BODY) } }),
      '',
      /body-too-large/,
    ],
    'a chunk that goes on': [inChunks, inHttpChunk(firstLine), /chunk-signature-mismatch|body-too-large/],
    'a line that goes on': [inChunks, '', /malformed-chunk|body-too-large/],
  };
  for (const front of fronts.all) {
    for (const [name, [message, beginning, reason]] of Object.entries(rows)) {
      const before = front.behind();
      const client = new RawClient(front);
      await client.write(wireOf(front.carry(message), ['transfer-encoding: chunked']) + beginning);
      let sent = 0;
      while (client.answers === '' && !client.isClosed) {
        await client.write(endless);
        sent += endless.length;
      }
      await client.close();
      t.match(client.answers, /^HTTP\/1.1 4/, `${front.name}, ${name}: refused`);
      t.match(client.answers, reason, `after ${sent} bytes`);
      t.ok(sent < 64 * 1024 * 1024, 'while more was to come');
      t.equal(front.behind(), before, 'nothing of it got behind the front');
    }
  }
});
