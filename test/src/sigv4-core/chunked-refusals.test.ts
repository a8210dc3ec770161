import { isRefused, type RequestHead } from '@sigv4-keyd/sigv4-core';
import t, { type Test } from 'tap';
import {
  decode,
  decoderFor,
  examine,
  SHA256,
  sha256Of,
  signHead,
  upload,
  type ChunkedDraft,
} from './chunked-bodies.js';

/** One change to the bytes of a body, what it is refused for, and the data that was released before. */
type Row = readonly [change: string, mutate: (wire: string) => string, reason: string, released?: string];

const CHUNKS = ['first', 'second', 'third'].map((text) => Buffer.from(text));
const CHECKSUM = sha256Of(CHUNKS).toString('base64');
const SIGNATURE = /[0-9a-f]{64}/;

const replace =
  (what: string | RegExp, by: string) =>
  (wire: string): string => {
    const changed = wire.replace(what, () => by);
    if (changed === wire) throw new Error(`${String(what)} is not in the body`);
    return changed;
  };

/** What any mode refuses; `;x` stands for the extension of the chunk. */
const FRAMING: readonly Row[] = [
  ['nothing changed', (wire) => wire, 'ended', 'firstsecondthird'],
  ['nothing at all', () => '', 'incomplete-body', ''],
  ['an HTTP chunk of its own before it', (wire) => `5\r\n${wire}`, 'malformed-chunk', ''],
  ['a sign before the size', (wire) => `+${wire}`, 'malformed-chunk', ''],
  ['a negative size', (wire) => `-${wire}`, 'malformed-chunk', ''],
  ['a blank before the size', (wire) => ` ${wire}`, 'malformed-chunk', ''],
  ['a line break before the size', (wire) => `\r\n${wire}`, 'malformed-chunk', ''],
  ['a zero before the size', (wire) => `0${wire}`, 'malformed-chunk', ''],
  ['a prefix of hex', (wire) => `0x${wire}`, 'malformed-chunk', ''],
  ['a size of letters that are no hex', replace('5', 'g'), 'malformed-chunk', ''],
  ['an empty size', (wire) => wire.slice(1), 'malformed-chunk', ''],
  ['a size beyond all numbers', replace('5', 'f'.repeat(30)), 'malformed-chunk', ''],
  ['a size beyond the decoded length', replace('5', 'fffffffffffff'), 'decoded-length-mismatch', ''],
  ['a size that is one too small', replace('5', '4'), '*', ''],
  ['a size that is one too large', replace('5', '6'), '*', ''],
  ['an extension more', replace('\r\n', ';a=b\r\n'), 'malformed-chunk', ''],
  ['an empty extension', replace('\r\n', ';\r\n'), 'malformed-chunk', ''],
  ['a blank behind the header', replace('\r\n', ' \r\n'), 'malformed-chunk', ''],
  ['a header that ends with LF alone', replace('\r\n', '\n'), 'malformed-chunk', ''],
  ['a header that ends with CR alone', replace('\r\n', '\r'), 'malformed-chunk', ''],
  ['a header that ends with CR CR LF', replace('\r\n', '\r\r\n'), 'malformed-chunk', ''],
  ['data that ends with LF alone', replace('first\r\n', 'first\n'), 'malformed-chunk', 'first'],
  ['data that does not end with CRLF', replace('first\r\n', 'firstXY'), 'malformed-chunk', 'first'],
  ['a byte more behind the data', replace('first\r\n', 'first \r\n'), 'malformed-chunk', 'first'],
  ['a line break more behind the data', replace('first\r\n', 'first\r\n\r\n'), 'malformed-chunk', 'first'],
  ['a byte behind the end', (wire) => `${wire}x`, 'malformed-chunk', 'firstsecondthir'],
  ['a line break behind the end', (wire) => `${wire}\r\n`, 'malformed-chunk', 'firstsecondthir'],
  ['the body twice', (wire) => wire + wire, 'malformed-chunk', 'firstsecondthir'],
  ['a last chunk in the middle', (wire) => wire.slice(wire.lastIndexOf('0')), '*', ''],
  ['no line break at the end', (wire) => wire.slice(0, -2), 'incomplete-body', 'firstsecondthir'],
  ['half a line break at the end', (wire) => wire.slice(0, -1), 'incomplete-body', 'firstsecondthir'],
];

const SIGNED: readonly Row[] = [
  ['a chunk without a signature', replace(/;chunk-signature=[0-9a-f]{64}/, ''), 'malformed-chunk', ''],
  ['an extension with another name', replace('chunk-signature', 'chunk-signaturf'), 'malformed-chunk', ''],
  ['its name in upper case', replace('chunk-signature', 'Chunk-Signature'), 'malformed-chunk', ''],
  ['a signature in upper case', (wire) => wire.replace(SIGNATURE, (hex) => hex.toUpperCase()), 'malformed-chunk', ''],
  ['a short signature', (wire) => wire.replace(SIGNATURE, (hex) => hex.slice(1)), 'malformed-chunk', ''],
  ['a signature and a half', (wire) => wire.replace(SIGNATURE, (hex) => hex + hex.slice(32)), 'malformed-chunk', ''],
  ['two signatures', replace(/\r\n/, `;chunk-signature=${'0'.repeat(64)}\r\n`), 'malformed-chunk', ''],
  ['a signature of zeros', replace(SIGNATURE, '0'.repeat(64)), 'chunk-signature-mismatch', ''],
  ['the first chunk changed', replace('first', 'fIrst'), 'chunk-signature-mismatch', ''],
  ['the second chunk changed', replace('second', 'secont'), 'chunk-signature-mismatch', 'first'],
  ['the third chunk changed', replace('third', 'thirt'), 'chunk-signature-mismatch', 'firstsecond'],
  ['the first chunk left out', (wire) => chunksOf(wire).slice(1).join(''), 'chunk-signature-mismatch', ''],
  ['the second chunk left out', (wire) => chunksOf(wire).toSpliced(1, 1).join(''), 'chunk-signature-mismatch', 'first'],
  ['the last chunk alone', (wire) => chunksOf(wire).slice(3).join(''), 'decoded-length-mismatch', ''],
  [
    'a chunk twice',
    (wire) =>
      chunksOf(wire)
        .toSpliced(1, 0, chunksOf(wire)[0] ?? '')
        .join(''),
    '*',
    'first',
  ],
  [
    'two chunks exchanged',
    (wire) =>
      chunksOf(wire)
        .toSpliced(1, 2, chunksOf(wire)[2] ?? '', chunksOf(wire)[1] ?? '')
        .join(''),
    'chunk-signature-mismatch',
    'first',
  ],
  [
    'two chunks joined',
    (wire) => wire.replace(/^5;(.*)\r\nfirst\r\n6;.*\r\nsecond/, 'b;$1\r\nfirstsecond'),
    'chunk-signature-mismatch',
    '',
  ],
  ['a last chunk with a forged signature', forgeLast, 'chunk-signature-mismatch', 'firstsecondthir'],
];

const TRAILED: readonly Row[] = [
  ['the trailer left out', replace(`${SHA256}:${CHECKSUM}\r\n`, ''), 'trailer-mismatch', 'firstsecondthir'],
  ['the trailer twice', (wire) => twice(wire, `${SHA256}:${CHECKSUM}\r\n`), 'trailer-mismatch', 'firstsecondthir'],
  ['another trailer', replace(`${SHA256}:`, 'x-amz-checksum-crc32:'), 'trailer-mismatch', 'firstsecondthir'],
  ['a trailer more', replace(SHA256, `x-amz-meta-a:b\r\n${SHA256}`), 'trailer-mismatch', 'firstsecondthir'],
  ['a trailer of our own', replace(SHA256, `x-keyd-region:b\r\n${SHA256}`), 'trailer-mismatch', 'firstsecondthir'],
  ['a trailer in upper case', replace(SHA256, SHA256.toUpperCase()), 'trailer-mismatch', 'firstsecondthir'],
  ['a blank before its colon', replace(`${SHA256}:`, `${SHA256} :`), 'trailer-mismatch', 'firstsecondthir'],
  ['a blank behind its colon', replace(`${SHA256}:`, `${SHA256}: `), 'malformed-checksum', 'firstsecondthir'],
  ['no colon', replace(`${SHA256}:`, SHA256), 'trailer-mismatch', 'firstsecondthir'],
  ['a checksum that is too short', replace(CHECKSUM, 'AAAA'), 'malformed-checksum', 'firstsecondthir'],
  ['a checksum that is no base64', replace(CHECKSUM, '!'.repeat(44)), 'malformed-checksum', 'firstsecondthir'],
  ['a checksum without its padding', replace(CHECKSUM, CHECKSUM.slice(0, -1)), 'malformed-checksum', 'firstsecondthir'],
  ['an empty checksum', replace(CHECKSUM, ''), 'malformed-checksum', 'firstsecondthir'],
  [
    'a trailer that ends with LF alone',
    replace(`${CHECKSUM}\r\n`, `${CHECKSUM}\n`),
    'malformed-trailer',
    'firstsecondthir',
  ],
  ['a trailer of kilobytes', replace(CHECKSUM, 'A'.repeat(4_096)), 'malformed-trailer', 'firstsecondthir'],
  ['a folded trailer', replace(CHECKSUM, `\r\n ${CHECKSUM}`), 'malformed-checksum', 'firstsecondthir'],
];

const SIGNED_TRAILER: readonly Row[] = [
  [
    'another checksum',
    replace(CHECKSUM, sha256Of([]).toString('base64')),
    'trailer-signature-mismatch',
    'firstsecondthir',
  ],
  ['no signature', replace(/x-amz-trailer-signature.*\r\n/, ''), 'malformed-trailer', 'firstsecondthir'],
  [
    'a signature of zeros',
    replace(/(?<=trailer-signature:).*/, '0'.repeat(64)),
    'trailer-signature-mismatch',
    'firstsecondthir',
  ],
  [
    'a short signature',
    replace(/(?<=trailer-signature:).*/, '0'.repeat(63)),
    'trailer-signature-mismatch',
    'firstsecondthir',
  ],
  ['the signature before the trailer', signatureFirst, 'malformed-trailer', 'firstsecondthir'],
  [
    'two signatures',
    (wire) => twice(wire, /x-amz-trailer-signature.*\r\n/.exec(wire)?.[0] ?? ''),
    'malformed-trailer',
    'firstsecondthir',
  ],
];

const UNSIGNED_TRAILER: readonly Row[] = [
  ['a chunk with a signature', replace('\r\n', `;chunk-signature=${'0'.repeat(64)}\r\n`), 'malformed-chunk', ''],
  [
    'a signature behind the trailer',
    replace(`${CHECKSUM}\r\n`, `${CHECKSUM}\r\nx-amz-trailer-signature:${'0'.repeat(64)}\r\n`),
    'malformed-trailer',
    'firstsecondthir',
  ],
];

t.test('STREAMING-AWS4-HMAC-SHA256-PAYLOAD', (t) => checkRows(t, 'streaming-signed', [...FRAMING, ...SIGNED]));
t.test('STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', (t) =>
  checkRows(t, 'streaming-signed-trailer', [...FRAMING, ...SIGNED, ...TRAILED, ...SIGNED_TRAILER]),
);
t.test('STREAMING-UNSIGNED-PAYLOAD-TRAILER', (t) =>
  checkRows(t, 'streaming-unsigned-trailer', [...FRAMING, ...TRAILED, ...UNSIGNED_TRAILER]),
);

t.test('chunks of another request', (t) => {
  const ours = upload({ kind: 'streaming-signed', chunks: CHUNKS });
  const theirs = upload({ kind: 'streaming-signed', chunks: CHUNKS, headers: [['x-amz-meta-a', 'b']] });
  const stolen = upload({ kind: 'streaming-signed', chunks: CHUNKS, secret: 'another' });
  for (const { wire } of [theirs, stolen]) {
    t.match(decode(decoderFor(ours.head), wire), { reason: 'chunk-signature-mismatch', early: Buffer.alloc(0) });
  }
  t.end();
});

t.test('the smallest chunk: all but the last have as many bytes', (t) => {
  const limits = { smallest: 6, largest: 100 };
  const reasonOf = (sizes: readonly number[]): string => {
    const { head, wire } = upload({ kind: 'streaming-signed', chunks: sizes.map((size) => Buffer.alloc(size)) });
    return decode(decoderFor(head, limits), wire).reason;
  };
  t.equal(reasonOf([6, 7, 6, 1]), 'ended');
  t.equal(reasonOf([1]), 'ended');
  t.equal(reasonOf([]), 'ended');
  t.equal(reasonOf([5, 6]), 'chunk-too-small');
  t.equal(reasonOf([6, 5, 1]), 'chunk-too-small');
  t.equal(reasonOf([100]), 'ended');
  t.equal(reasonOf([100, 101]), 'chunk-too-large');
  t.end();
});

t.test('what the headers say of the chunks', (t) => {
  const draft: ChunkedDraft = { kind: 'streaming-signed-trailer', chunks: CHUNKS };
  const signed: ChunkedDraft = { kind: 'streaming-signed', chunks: CHUNKS };
  const rows: readonly (readonly [
    string,
    ChunkedDraft,
    string,
    (value: string | undefined) => string | undefined,
    string,
  ])[] = [
    ['no decoded length', draft, 'x-amz-decoded-content-length', () => undefined, 'missing-decoded-length'],
    ['a decoded length with a sign', draft, 'x-amz-decoded-content-length', () => '+16', 'malformed-decoded-length'],
    ['a decoded length with a zero', draft, 'x-amz-decoded-content-length', () => '016', 'malformed-decoded-length'],
    ['a decoded length in hex', draft, 'x-amz-decoded-content-length', () => '0x10', 'malformed-decoded-length'],
    ['a negative decoded length', draft, 'x-amz-decoded-content-length', () => '-16', 'malformed-decoded-length'],
    [
      'a decoded length that is no number',
      draft,
      'x-amz-decoded-content-length',
      () => 'NaN',
      'malformed-decoded-length',
    ],
    ['an empty decoded length', draft, 'x-amz-decoded-content-length', () => '', 'malformed-decoded-length'],
    ['a fraction', draft, 'x-amz-decoded-content-length', () => '16.0', 'malformed-decoded-length'],
    [
      'a length beyond all numbers',
      draft,
      'x-amz-decoded-content-length',
      () => '9007199254740992',
      'malformed-decoded-length',
    ],
    ['the largest length', draft, 'x-amz-decoded-content-length', () => '9007199254740991', 'examined'],
    ['no trailers announced', draft, 'x-amz-trailer', () => undefined, 'trailer-refused'],
    ['an empty announcement', draft, 'x-amz-trailer', () => '', 'trailer-refused'],
    ['a trailer that is no checksum', draft, 'x-amz-trailer', () => 'x-amz-meta-a', 'trailer-refused'],
    ['a trailer named like a property', draft, 'x-amz-trailer', () => 'constructor', 'trailer-refused'],
    ['the signature announced', draft, 'x-amz-trailer', () => `${SHA256},x-amz-trailer-signature`, 'trailer-refused'],
    ['a trailer announced twice', draft, 'x-amz-trailer', () => `${SHA256},${SHA256}`, 'trailer-refused'],
    ['two checksums', draft, 'x-amz-trailer', () => `${SHA256}, x-amz-checksum-crc32`, 'examined'],
    ['trailers in a mode without', signed, 'x-amz-trailer', () => SHA256, 'trailer-refused'],
    ['aws-chunked twice', draft, 'content-encoding', () => 'aws-chunked,AWS-Chunked', 'malformed-content-encoding'],
    ['another encoding behind', draft, 'content-encoding', () => 'aws-chunked,gzip', 'examined'],
    ['another encoding before', draft, 'content-encoding', () => 'gzip, aws-chunked', 'examined'],
    ['no encoding, as older clients', draft, 'content-encoding', () => undefined, 'examined'],
  ];
  for (const [name, from, header, change, expected] of rows) {
    const outcome = examine(changed(signHead(from).head, header, change));
    t.equal(isRefused(outcome) ? outcome.reason : outcome.verdict, expected, name);
  }
  t.end();
});

function checkRows(t: Test, kind: ChunkedDraft['kind'], rows: readonly Row[]): void {
  const { head, wire } = upload({ kind, chunks: CHUNKS });
  for (const [change, mutate, expected, released = ''] of rows) {
    const bytes = Buffer.from(mutate(wire.toString('latin1')), 'latin1');
    const { reason, early, last } = decode(decoderFor(head), bytes);
    if (expected === '*') t.not(reason, 'ended', `${change}: ${reason}`);
    else t.equal(reason, expected, change);
    const data = Buffer.concat([early, last]).toString();
    // Without signatures, data is released as it comes; what is held then is the last byte alone.
    if (kind === 'streaming-unsigned-trailer' && expected !== 'ended')
      t.not(data, 'firstsecondthird', `${change}: data`);
    else t.equal(data, released, `${change}: data`);
    for (const cut of [1, 7, 90]) {
      const cuts = Array.from({ length: Math.ceil(bytes.length / cut) }, (_, at) => at * cut);
      t.match(decode(decoderFor(head), bytes, cuts), { reason, early }, `${change}, in parts of ${cut}`);
    }
  }
  t.end();
}

/** The chunks of a signed body, and what follows them. */
function chunksOf(wire: string): readonly string[] {
  return wire.split(/(?=^(?:5|6|0);chunk)/m);
}

function forgeLast(wire: string): string {
  return wire.replace(/(?<=\r\n0;chunk-signature=)[0-9a-f]{64}/, '0'.repeat(64));
}

function twice(wire: string, line: string): string {
  return replace(line, line + line)(wire);
}

function signatureFirst(wire: string): string {
  return wire.replace(/(x-amz-checksum.*\r\n)(x-amz-trailer-signature.*\r\n)/, '$2$1');
}

/** The head with one header changed; it need not be signed again to be examined. */
function changed(
  head: RequestHead,
  name: string,
  change: (value: string | undefined) => string | undefined,
): RequestHead {
  const pairs = head.rawHeaders.flatMap((text, at) =>
    at % 2 === 0 ? [[text, head.rawHeaders[at + 1] ?? ''] as const] : [],
  );
  const before = pairs.find(([one]) => one === name)?.[1];
  const value = change(before);
  const rest = pairs
    .filter(([one]) => one !== name)
    .map(([one, text]) => [one, one === 'authorization' ? signing(text, name, value !== undefined) : text] as const);
  return { ...head, rawHeaders: [...rest, ...(value === undefined ? [] : [[name, value] as const])].flat() };
}

function signing(authorization: string, name: string, isSigned: boolean): string {
  return authorization.replace(/(?<=SignedHeaders=)[^,]*/, (list) => {
    const names = list.split(';').filter((one) => one !== name);
    return [...names, ...(isSigned ? [name] : [])].sort().join(';');
  });
}
