import { boundaryOf, FormReader } from '@sigv4-keyd/edge-verifier';
import fc from 'fast-check';
import t from 'tap';
import { FORM_ORACLES } from './form-oracles.js';
import { BOUNDARY, END, filePart, part } from './post-form-client.js';

interface Outcome {
  /** The reason and its detail, or `read`. */
  readonly verdict: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly filename: string | undefined;
  readonly fileLength: number;
}

/** Reads a body that arrives in these parts. */
function readParts(parts: readonly Buffer[], boundary = BOUNDARY): Outcome {
  const reader = new FormReader(boundary);
  for (const one of parts) reader.push(one);
  const refused = reader.end();
  const { reason, detail } = refused ?? {};
  const verdict = refused === undefined ? 'read' : [reason, detail].filter((text) => text !== undefined).join(': ');
  const { fields = new Map<string, string>(), filename } = reader.form ?? {};
  return { verdict, fields: Object.fromEntries(fields), filename, fileLength: refused ? 0 : reader.fileLength };
}

function read(body: string | Buffer): Outcome {
  return readParts([Buffer.from(body)]);
}

function cutAt(body: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [...new Set(cuts.map((cut) => cut % (body.length + 1)))].sort((one, other) => one - other);
  return [...at, body.length].map((end, index) => body.subarray(at[index - 1] ?? 0, end));
}

const KEY = part('key', 'user/cat.jpg').toString('latin1');
const FILE = filePart('the content').toString('latin1');
const DASHED = `--${BOUNDARY}`;
const GOOD = `${KEY}${FILE}${END}`;
/** A part with this head. */
const headed = (head: string, value = 'x'): string => `${DASHED}\r\n${head}\r\n\r\n${value}\r\n`;
const named = (parameters: string): string => headed(`Content-Disposition: form-data; ${parameters}`);

t.test('a form is read', (t) => {
  t.same(read(GOOD), {
    verdict: 'read',
    fields: { key: 'user/cat.jpg' },
    filename: 'cat.jpg',
    fileLength: 'the content'.length,
  });
  t.same(read(`${part('Key', 'ü').toString('latin1')}${FILE}${END}`).fields, { key: 'Ã¼' }, 'bytes as they are');
  t.same(readParts([Buffer.concat([part('KeY', 'ü "é"'), filePart('', 'ü.jpg'), Buffer.from(END)])]), {
    verdict: 'read',
    fields: { key: 'ü "é"' },
    filename: 'ü.jpg',
    fileLength: 0,
  });
  const binary = Buffer.from(Array.from({ length: 256 }, (_none, byte) => byte));
  t.equal(readParts([Buffer.concat([filePart(binary), Buffer.from(END)])]).fileLength, 256, 'any byte in a file');
  const near = `\r\n--${BOUNDARY.slice(0, -1)}\r\n--\r\n\r\n-`;
  t.equal(readParts([Buffer.concat([filePart(near), Buffer.from(END)])]).fileLength, near.length, 'nearly a boundary');
  t.end();
});

t.test('what could be read in two ways is refused', (t) => {
  const boundary = 'malformed-form: a boundary';
  const within = 'malformed-form: a boundary within a value';
  const line = 'malformed-form: a line of a part';
  const disposition = 'malformed-form: content-disposition';
  const name = 'malformed-form: the name of a field';
  const early = 'malformed-form: it ends before its last boundary';
  const behind = 'malformed-form: it goes on behind its last boundary';
  const begins = 'malformed-form: it begins with no boundary';
  const value = 'malformed-form: acl: a control character, or not UTF-8';
  const inFile = (content: string): string =>
    `${KEY}${filePart(Buffer.from(content, 'latin1')).toString('latin1')}${END}`;
  const cases: Readonly<Record<string, readonly [verdict: string, body: string]>> = {
    nothing: [early, ''],
    'a preamble': [begins, `preamble\r\n${GOOD}`],
    'an empty line first': [begins, `\r\n${GOOD}`],
    'another boundary': [begins, GOOD.replaceAll(BOUNDARY, 'of-another-form')],
    'a longer boundary': [boundary, GOOD.replace(DASHED, `${DASHED}x`)],
    'a boundary with a blank behind it': [boundary, GOOD.replace(DASHED, `${DASHED} `)],
    'a boundary and a line feed alone': [boundary, GOOD.replace(`${DASHED}\r\n`, `${DASHED}\n`)],
    'no closing boundary': [early, `${KEY}${FILE}`],
    'half a closing boundary': [early, `${KEY}${FILE}${DASHED}-`],
    'a closing boundary with one dash': [boundary, `${KEY}${FILE}${DASHED}-\r\n`],
    'an epilogue': [behind, `${GOOD}epilogue`],
    'another line': [behind, `${GOOD}\r\n`],
    'another form': [behind, `${GOOD}${GOOD}`],
    'a field behind the file': ['file-not-last', `${KEY}${FILE}${part('acl', 'public-read').toString()}${END}`],
    'the key behind the file': ['file-not-last', `${FILE}${KEY}${END}`],
    'two files': ['file-not-last', `${KEY}${FILE}${FILE}${END}`],
    'no file': ['missing-form-field: file', `${KEY}${END}`],
    'no parts': ['missing-form-field: file', END],
    'a field twice': ['duplicate-form-field: key', `${KEY}${KEY}${FILE}${END}`],
    'a field twice, in another case': [
      'duplicate-form-field: key',
      `${KEY}${part('KEY', 'other').toString()}${FILE}${END}`,
    ],
    // Each of these is a delimiter to some readers.
    'the boundary in a value': [within, `${part('acl', `a${DASHED}b`).toString()}${FILE}${END}`],
    'the boundary after a line feed, in the file': [within, inFile(`a\n${DASHED}\nContent-Disposition: x\n\nb`)],
    'the boundary after a carriage return, in the file': [within, inFile(`a\r${DASHED}\r\n`)],
    'the boundary at the very beginning of the file': [within, inFile(`${DASHED}--`)],
    'the closing boundary with more behind it, in the file': [behind, inFile(`a\r\n${DASHED}--more`)],
    'a longer boundary in the file': [boundary, inFile(`a\r\n${DASHED}er`)],
    'the boundary in a head': [boundary, `${headed(`Content-Disposition: form-data; name="${DASHED}"`)}${FILE}${END}`],
    // Heads.
    'a folded line': [line, `${headed('Content-Disposition: form-data;\r\n name="acl"')}${FILE}${END}`],
    'a line without a colon': [line, `${headed('Content-Disposition form-data; name="acl"')}${FILE}${END}`],
    'a blank before the colon': [line, `${headed('Content-Disposition : form-data; name="acl"')}${FILE}${END}`],
    'a line feed alone': [
      line,
      `${headed('Content-Type: text/plain\nContent-Disposition: form-data; name="a"')}${FILE}${END}`,
    ],
    'a NUL in a head': [line, `${headed('Content-Disposition: form-data; name="a\0cl"')}${FILE}${END}`],
    'no head': [boundary, `${DASHED}\r\n\r\nx\r\n${FILE}${END}`],
    'two dispositions': [
      'malformed-form: content-disposition is doubled',
      `${headed('Content-Disposition: form-data; name="acl"\r\ncontent-disposition: form-data; name="key"')}${FILE}${END}`,
    ],
    'an unknown header': [
      'malformed-form: an unknown header of a part',
      `${headed('Content-Disposition: form-data; name="acl"\r\nX-Name: key')}${FILE}${END}`,
    ],
    'no disposition': [disposition, `${headed('Content-Type: text/plain')}${FILE}${END}`],
    'another disposition': [disposition, `${headed('Content-Disposition: attachment; name="acl"')}${FILE}${END}`],
    'a disposition that only begins so': [
      disposition,
      `${headed('Content-Disposition: form-datax; name="acl"')}${FILE}${END}`,
    ],
    'no name': [disposition, `${headed('Content-Disposition: form-data')}${FILE}${END}`],
    'an empty name': [name, `${named('name=""')}${FILE}${END}`],
    'two names': [disposition, `${named('name="acl"; name="key"')}${FILE}${END}`],
    'a name with an escape': [disposition, `${named('name="a\\"cl"')}${FILE}${END}`],
    'a name in a charset': [disposition, `${named('name*=UTF-8\'\'acl; name="key"')}${FILE}${END}`],
    'a name in parts': [disposition, `${named('name*0="a"; name*1="cl"')}${FILE}${END}`],
    'an unclosed quote': [disposition, `${named('name="acl')}${FILE}${END}`],
    'another parameter': [disposition, `${named('name="acl"; size=1')}${FILE}${END}`],
    'a name in percent': [name, `${named('name="a%63l"')}${FILE}${END}`],
    'a name with a blank': [name, `${named('name="acl "')}${FILE}${END}`],
    'a name beyond ASCII': [name, `${named('name="äcl"')}${FILE}${END}`],
    'a long name': [name, `${named(`name="${'a'.repeat(129)}"`)}${FILE}${END}`],
    'filename*': [disposition, `${KEY}${named('name="file"; filename="a"; filename*=UTF-8\'\'b')}${END}`],
    'a filename first': [disposition, `${KEY}${named('filename="key"; name="file"')}${END}`],
    'a filename that holds a name': [disposition, `${KEY}${named('name="file"; filename="a; name=key"')}${END}`],
    'a file that is a form': [
      'malformed-form: file: content-type',
      `${KEY}${headed('Content-Disposition: form-data; name="file"\r\nContent-Type: Multipart/mixed; boundary=b')}${END}`,
    ],
    'a file of no type': [
      'malformed-form: file: content-type',
      `${KEY}${headed('Content-Disposition: form-data; name="file"\r\nContent-Type: ,multipart/mixed')}${END}`,
    ],
    'two filenames': [disposition, `${KEY}${named('name="file"; filename="a"; filename="b"')}${END}`],
    'a filename of other bytes': [
      'malformed-form: filename: not UTF-8',
      `${KEY}${named('name="file"; filename="\xff"')}${END}`,
    ],
    'a filename of a field': ['malformed-form: acl: a filename', `${named('name="acl"; filename="a"')}${FILE}${END}`],
    'a field of bytes': [
      'malformed-form: acl: content-type',
      `${headed('Content-Disposition: form-data; name="acl"\r\nContent-Type: application/octet-stream')}${FILE}${END}`,
    ],
    'a field in another charset': [
      'malformed-form: acl: content-type',
      `${headed('Content-Disposition: form-data; name="acl"\r\nContent-Type: text/plain; charset=utf-16')}${FILE}${END}`,
    ],
    'a field in base64': [
      'malformed-form: acl: content-transfer-encoding',
      `${headed('Content-Disposition: form-data; name="acl"\r\nContent-Transfer-Encoding: base64')}${FILE}${END}`,
    ],
    'a field of another length': [
      'malformed-form: acl: content-length',
      `${headed('Content-Disposition: form-data; name="acl"\r\nContent-Length: 2')}${FILE}${END}`,
    ],
    'a length that is none': [
      'malformed-form: acl: content-length',
      `${headed('Content-Disposition: form-data; name="acl"\r\nContent-Length: 0x1')}${FILE}${END}`,
    ],
    'a file of another length': [
      'malformed-form: file: content-length',
      `${KEY}${headed('Content-Disposition: form-data; name="file"\r\nContent-Length: 2')}${END}`,
    ],
    // Values.
    'a line break in a value': [value, `${part('acl', 'a\r\nx-amz-acl: b').toString()}${FILE}${END}`],
    'a NUL in a value': [value, `${part('acl', 'a\0').toString()}${FILE}${END}`],
    'a value of other bytes': [value, `${part('acl', Buffer.from([0xc3, 0x28])).toString('latin1')}${FILE}${END}`],
    'a value of overlong bytes': [value, `${part('acl', Buffer.from([0xc0, 0xaf])).toString('latin1')}${FILE}${END}`],
  };
  for (const [title, [verdict, body]] of Object.entries(cases)) {
    const bytes = Buffer.from(body, 'latin1');
    t.equal(readParts([bytes]).verdict, verdict, title);
    t.equal(readParts([...bytes].map((byte) => Buffer.from([byte]))).verdict, verdict, `${title}, byte by byte`);
  }
  t.end();
});

t.test('what comes before the file is bounded', (t) => {
  const bodyWith = (length: number): string => `${part('x-ignore-a', 'a'.repeat(length)).toString()}${FILE}${END}`;
  const overhead = bodyWith(0).length - 'the content'.length - `\r\n${END}`.length;
  const most = 20 * 1024 - overhead;
  t.equal(read(bodyWith(most)).verdict, 'read');
  for (const body of [bodyWith(most + 1), bodyWith(1_000_000), `${DASHED}\r\n${'a'.repeat(30_000)}`]) {
    t.equal(read(body).verdict, 'form-fields-too-large');
    const pieces = cutAt(
      Buffer.from(body),
      Array.from({ length: 200 }, (_none, index) => index * 137),
    );
    t.equal(readParts(pieces).verdict, 'form-fields-too-large', 'in pieces');
  }
  const reader = new FormReader(BOUNDARY);
  for (let at = 0; at < 100; at += 1) reader.push(Buffer.alloc(10_000, 'a'));
  t.match(reader.push(Buffer.from(GOOD)), { reason: 'malformed-form' }, 'what was refused once stays refused');
  t.end();
});

t.test('the boundary is plain, and the only parameter', (t) => {
  const good: Readonly<Record<string, string>> = {
    'multipart/form-data; boundary=----WebKitFormBoundaryAbC123': '----WebKitFormBoundaryAbC123',
    'multipart/form-data;boundary="0c4a.b+c_d"': '0c4a.b+c_d',
    [`MULTIPART/FORM-DATA; BOUNDARY=${'a'.repeat(70)}`]: 'a'.repeat(70),
  };
  for (const [type, boundary] of Object.entries(good)) t.equal(boundaryOf(type), boundary, type);
  const bad = [
    'multipart/form-data',
    'multipart/form-data; boundary=',
    'multipart/form-data; boundary=""',
    `multipart/form-data; boundary=${'a'.repeat(71)}`,
    'multipart/form-data; boundary=a; boundary=b',
    'multipart/form-data; boundary=a; charset=utf-8',
    'multipart/form-data; charset=utf-8; boundary=a',
    'multipart/form-data; boundary=a b',
    'multipart/form-data; boundary="a b"',
    'multipart/form-data; boundary="a',
    'multipart/form-data; boundary="a\\"b"',
    "multipart/form-data; boundary*=utf-8''a",
    'multipart/form-data; boundary*0=a; boundary*1=b',
    'multipart/form-data; boundary=a,multipart/form-data; boundary=b',
    'multipart/form-data boundary=a',
    'multipart/mixed; boundary=a',
  ];
  for (const type of bad) t.match(boundaryOf(type), { reason: 'malformed-form' }, type);
  t.end();
});

/** Pieces that readers disagree about, to be put anywhere into a form. */
const PIECES = fc.constantFrom(
  '\r\n',
  '\n',
  '\r',
  ' ',
  '\t',
  '\0',
  '"',
  ';',
  '\\',
  ':',
  '--',
  '-',
  BOUNDARY,
  DASHED,
  `\r\n${DASHED}`,
  `\n${DASHED}\n`,
  `\r\n${DASHED}\r\n`,
  `${DASHED}--`,
  KEY,
  FILE,
  part('acl', 'private').toString(),
  'Content-Disposition: form-data; name="acl"',
  'Content-Type: text/plain; charset=utf-16\r\n',
  '; filename="x"',
  "; filename*=UTF-8''x",
  'é',
  '\xff',
  'x',
);
const CHANGES = fc.array(
  fc.record({ at: fc.nat(1000), remove: fc.integer({ min: 0, max: 6 }), insert: fc.option(PIECES, { nil: '' }) }),
  { maxLength: 3 },
);

function changed(
  changes: readonly { readonly at: number; readonly remove: number; readonly insert: string }[],
): Buffer {
  let body = `${KEY}${part('content-type', 'image/png').toString()}${FILE}${END}`;
  for (const { at, remove, insert } of changes) {
    const from = at % (body.length + 1);
    body = body.slice(0, from) + insert + body.slice(from + remove);
  }
  return Buffer.from(body, 'latin1');
}

t.test('what is read does not depend on how the bytes are cut', (t) => {
  fc.assert(
    fc.property(CHANGES, fc.array(fc.nat(1000), { maxLength: 12 }), (changes, cuts) => {
      const body = changed(changes);
      const [whole, inPieces] = [readParts([body]), readParts(cutAt(body, cuts))];
      if (JSON.stringify(whole) !== JSON.stringify(inPieces)) throw new Error(`${whole.verdict}, ${inPieces.verdict}`);
    }),
    { numRuns: 3_000 },
  );
  t.pass();
  t.end();
});

t.test('what is read here, other readers read in the same way or not at all', async (t) => {
  let accepted = 0;
  const agreed = new Map(FORM_ORACLES.map(({ name }) => [name, 0]));
  await fc.assert(
    fc.asyncProperty(CHANGES, async (changes) => {
      const body = changed(changes);
      const ours = readParts([body]);
      if (ours.verdict !== 'read') return;
      accepted += 1;
      const end = body.lastIndexOf(`\r\n${DASHED}--`);
      const file = body.subarray(end - ours.fileLength, end).toString('latin1');
      const expected: Record<string, string> = { file };
      for (const [name, value] of Object.entries(ours.fields)) expected[name] = Buffer.from(value).toString('latin1');
      for (const { name, read } of FORM_ORACLES) {
        const theirs = await read(body, BOUNDARY).catch(() => undefined);
        if (theirs === undefined) continue;
        agreed.set(name, (agreed.get(name) ?? 0) + 1);
        t.same(theirs, expected, name);
      }
    }),
    { numRuns: 1_500 },
  );
  t.comment(`${accepted} forms read, and read alike: ${JSON.stringify([...agreed])}`);
  t.ok(accepted > 100, 'enough of them were forms');
  for (const [name, count] of agreed) t.ok(count > accepted / 2, `${name} read enough of them`);
});
