import {
  ChunkDecoder,
  framedLength,
  scopeDateOf,
  signChunkedRequest,
  type ChunkedMode,
  type ChunkedPayload,
  type CredentialScope,
} from '@sigv4-keyd/sigv4-core';
import fc from 'fast-check';
import t from 'tap';
import { decode, decoderFor, LIMITS, SHA256, sha256Of, signHead, trailersOf, upload } from './chunked-bodies.js';
import { oracleWire } from './chunked-oracle.js';
import { signingKey } from './policy.js';

const MODES = ['streaming-signed', 'streaming-signed-trailer', 'streaming-unsigned-trailer'] as const;
const RUNS = 200;

const anyMode = fc.constantFrom(...MODES);
const anyChunks = fc
  .array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 5 })
  .map((chunks) => chunks.map((chunk) => Buffer.from(chunk)));
const anyCuts = fc.array(fc.nat(2_000), { maxLength: 12 });

/** The worked examples of the S3 documentation: 65 KiB of the letter "a", in chunks of 64 KiB and 1 KiB. */
const PUBLISHED = [
  {
    kind: 'streaming-signed',
    headers: [['content-length', '66824']],
    trailers: [],
    framed: 66_824,
    seed: '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
    chunks: [
      'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
      '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
    ],
    last: 'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
    trailing: '',
  },
  {
    kind: 'streaming-signed-trailer',
    headers: [],
    trailers: ['x-amz-checksum-crc32c'],
    framed: 66_946,
    seed: '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e',
    chunks: [
      'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2',
      '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7',
    ],
    last: '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992',
    trailing:
      'x-amz-checksum-crc32c:sOO8/Q==\r\n' +
      'x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n',
  },
] as const;

const SCOPE: CredentialScope = {
  date: scopeDateOf(Date.parse('2013-05-24T00:00:00Z')),
  region: 'us-east-1',
  service: 's3',
  terminator: 'aws4_request',
};

t.test('the worked examples of the S3 documentation', (t) => {
  const body = Buffer.alloc(66_560, 'a');
  const [first, second] = [body.subarray(0, 65_536), body.subarray(65_536)];
  for (const { kind, headers, trailers, framed, seed, chunks, last, trailing } of PUBLISHED) {
    const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
    const { headers: added, encoder } = signChunkedRequest(
      {
        method: 'PUT',
        target: '/examplebucket/chunkObject.txt',
        headers: [['host', 's3.amazonaws.com'], ['x-amz-storage-class', 'REDUCED_REDUNDANCY'], ...headers],
      },
      { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey },
      {
        now: Date.parse('2013-05-24T00:00:00Z'),
        region: 'us-east-1',
        service: 's3',
        kind,
        decodedLength: body.length,
        trailers,
      },
    );
    t.match(added.at(-1)?.[1], `Signature=${seed}`, `${kind}: the seed`);
    const checksums = new Map(trailers.map((name) => [name, Buffer.from('sOO8/Q==', 'base64')]));
    const wire = Buffer.concat([...encoder.chunk(first), ...encoder.chunk(second), encoder.end(checksums)]);
    const expected = Buffer.concat([
      Buffer.from(`10000;chunk-signature=${chunks[0]}\r\n`),
      first,
      Buffer.from(`\r\n400;chunk-signature=${chunks[1]}\r\n`),
      second,
      Buffer.from(`\r\n0;chunk-signature=${last}\r\n${trailing}\r\n`),
    ]);
    t.ok(wire.equals(expected), `${kind}: chunks and trailers`);
    const payload: ChunkedPayload = { kind, decodedLength: body.length, trailers };
    t.equal(wire.length, framed, `${kind}: the length of the documentation`);
    t.equal(framedLength(payload, 65_536), framed);

    const request = { payload, amzDate: '20130524T000000Z', scope: SCOPE, signature: seed };
    const key = signingKey(SCOPE, secretAccessKey);
    const outcome = decode(new ChunkDecoder(request, key, { smallest: 8_192, largest: 65_536 }), expected, [7, 70_000]);
    t.equal(outcome.reason, 'ended', `${kind}: verified`);
    t.ok(Buffer.concat([outcome.early, outcome.last]).equals(body));
  }
  t.end();
});

t.test('what is signed is what is decoded, whatever the cuts', (t) => {
  const property = fc.property(anyMode, anyChunks, anyCuts, (kind, chunks, cuts) => {
    const { head, wire } = upload({ kind, chunks });
    const outcome = decode(decoderFor(head), wire, cuts);
    const data = Buffer.concat(chunks);
    if (outcome.reason !== 'ended') throw new Error(`${outcome.reason} ${outcome.detail ?? ''}`);
    if (!Buffer.concat([outcome.early, outcome.last]).equals(data)) throw new Error('other data');
    if (outcome.last.length !== Math.min(1, data.length)) throw new Error('the last byte was not kept for the end');
    if (!outcome.wire.equals(wire)) throw new Error('data and framing are not the bytes that came');
    const checksum = outcome.trailers?.get(SHA256);
    if (kind === 'streaming-signed' ? checksum !== undefined : !checksum?.equals(sha256Of(chunks))) {
      throw new Error('other trailers');
    }
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: RUNS }));
  t.end();
});

t.test('a second writer frames and signs in the same way', (t) => {
  const property = fc.property(anyMode, anyChunks, (kind, chunks) => {
    const { head, wire } = upload({ kind, chunks });
    const oracle = oracleWire({
      kind,
      chunks,
      seed: seedOf(head.rawHeaders),
      amzDate: '20261122T100000Z',
      region: 'us-east-1',
      service: 's3',
      trailers: kind === 'streaming-signed' ? [] : [`${SHA256}:${sha256Of(chunks).toString('base64')}`],
    });
    if (!oracle.equals(wire)) throw new Error(`${wire.toString('latin1')} is not ${oracle.toString('latin1')}`);
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: RUNS }));
  t.end();
});

t.test('no byte can be changed: nothing but signed data is released, and never all of it', (t) => {
  const property = fc.property(
    anyMode,
    anyChunks,
    anyCuts,
    fc.nat(),
    fc.integer({ min: 1, max: 255 }),
    (kind, chunks, cuts, position, change) => {
      const { head, wire } = upload({ kind, chunks });
      const at = position % wire.length;
      const changed = Buffer.from(wire);
      changed[at] = (wire[at] ?? 0) ^ change;
      const outcome = decode(decoderFor(head), changed, cuts);
      const uncut = decode(decoderFor(head), changed);
      if (outcome.reason !== uncut.reason || outcome.detail !== uncut.detail) throw new Error('cuts change the reason');
      if (!outcome.early.equals(uncut.early) || !outcome.wire.equals(uncut.wire))
        throw new Error('cuts change the data');
      const data = Buffer.concat(chunks);
      const released = Buffer.concat([outcome.early, outcome.last]);
      if (outcome.reason === 'ended') {
        // Data that no signature covers is what the checksum is for.
        const isCaught = outcome.trailers?.get(SHA256)?.equals(sha256Of([released])) === false;
        if (!released.equals(data) && !isCaught) throw new Error('other data was taken for good');
      } else {
        if (released.length >= data.length && data.length > 0) throw new Error('all data was released');
        const isSigned = kind !== 'streaming-unsigned-trailer';
        if (isSigned && !data.subarray(0, released.length).equals(released)) throw new Error('other data was released');
      }
    },
  );
  t.doesNotThrow(() => fc.assert(property, { numRuns: 5 * RUNS }));
  t.end();
});

t.test('a body that ends early is never whole, wherever it ends', (t) => {
  for (const kind of MODES) {
    const { head, wire } = upload({ kind, chunks: [Buffer.from('first'), Buffer.from('second')] });
    for (let length = 0; length < wire.length; length += 1) {
      const { reason, early } = decode(decoderFor(head), wire.subarray(0, length));
      if (reason !== 'incomplete-body' || early.length >= 11) t.fail(`${kind}, ${length} bytes: ${reason}`);
    }
    t.equal(decode(decoderFor(head), wire).reason, 'ended', kind);
  }
  t.end();
});

t.test('bytes that never end a line or a chunk are refused before they fill the memory', (t) => {
  const { head } = upload({ kind: 'streaming-signed', chunks: [Buffer.from('x')] });
  const decoder = decoderFor(head);
  let fed = 0;
  while (fed < 1_000 && decoder.push(Buffer.from('a')).refused === undefined) fed += 1;
  t.ok(fed < 100, `${fed} bytes of a line were held`);
  t.match(decoder.push(Buffer.from('\r\n')), { pieces: [], refused: { reason: 'malformed-chunk' } }, 'for good');

  const large = upload({ kind: 'streaming-signed', chunks: [Buffer.alloc(LIMITS.largest + 1)] });
  const header = large.wire.subarray(0, large.wire.indexOf('\r\n') + 2);
  t.match(decoderFor(large.head).push(header), { refused: { reason: 'chunk-too-large' } }, 'before its data comes');
  const unsigned = upload({ kind: 'streaming-unsigned-trailer', chunks: [Buffer.alloc(LIMITS.largest + 1)] });
  const streaming = decoderFor(unsigned.head);
  t.equal(streaming.push(unsigned.wire.subarray(0, 1_000)).pieces.at(-1)?.kind, 'data', 'unsigned data is not held');
  t.end();
});

t.test('framedLength is the length of what the encoder makes', (t) => {
  const property = fc.property(anyMode, fc.nat(5_000), fc.integer({ min: 1, max: 1_000 }), (kind, length, size) => {
    const data = Buffer.alloc(length);
    const chunks = Array.from({ length: Math.ceil(length / size) }, (_, at) =>
      data.subarray(at * size, (at + 1) * size),
    );
    const trailers = [...trailersOf({ kind, chunks }).keys()];
    const { wire } = upload({ kind, chunks });
    if (framedLength({ kind, decodedLength: length, trailers }, size) !== wire.length)
      throw new Error('another length');
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: RUNS }));
  t.end();
});

t.test('a signer that breaks its word is told at once', (t) => {
  const draft = { kind: 'streaming-signed-trailer', chunks: [Buffer.from('abc')] } as const;
  const cases: Readonly<Record<string, () => unknown>> = {
    'an empty chunk': () => signHead(draft).encoder.chunk(Buffer.alloc(0)),
    'too much data': () => signHead(draft).encoder.chunk(Buffer.from('abcd')),
    'too little data': () => signHead(draft).encoder.end(trailersOf(draft)),
    'no trailer': () => {
      const { encoder } = signHead(draft);
      encoder.chunk(Buffer.from('abc'));
      return encoder.end();
    },
    'a header that signing sets': () => signHead({ ...draft, headers: [['X-Amz-Trailer', SHA256]] }),
  };
  for (const [name, make] of Object.entries(cases)) t.throws(make, name);
  const head =
    (kind: ChunkedMode, trailers: readonly (typeof SHA256)[], decodedLength = 1): (() => unknown) =>
    () =>
      signChunkedRequest(
        { method: 'PUT', target: '/', headers: [['host', 'a']] },
        { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'x' },
        { now: 0, region: 'us-east-1', service: 's3', kind, trailers, decodedLength },
      );
  t.throws(head('streaming-unsigned-trailer', []), /needs a trailer/);
  t.throws(head('streaming-signed', [SHA256]), /no trailers/);
  t.throws(head('streaming-signed', [], -1), /no length/);
  t.end();
});

function seedOf(rawHeaders: readonly string[]): string {
  return /Signature=([0-9a-f]{64})/.exec(rawHeaders.join('\n'))?.[1] ?? '';
}
