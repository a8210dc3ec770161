import {
  concludePostForm,
  examinePostForm,
  examinePostFormHead,
  isFieldName,
  isPostForm,
  parsePostPolicy,
  parseRequestTarget,
  signPostPolicy,
  type Condition,
  type PostPolicy,
} from '@sigv4-keyd/sigv4-core';
import { boundaryOf, FormReader } from '@sigv4-keyd/edge-verifier';
import { hold, type Target } from '../engine/target.js';
import { FORM_ORACLES, type ReadForm } from '../../edge-verifier/form-oracles.js';
import { ACCESS_KEY_ID, policyWith, SECRET, signingKey } from '../../sigv4-core/policy.js';
import { independentSignature } from './independent-signer.js';
import { isKnownRefusal } from './refusals.js';
import { linesAsHeaders } from './request-parts.js';

const CORE = ['packages/sigv4-core/dist/'];
const READER = ['services/edge-verifier/dist/proxy/post-form/'];
const NOW = Date.UTC(2026, 10, 22, 12);
const CREDENTIALS = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET };
const SIGNING = { now: NOW, region: 'us-east-1', service: 's3', expiresSeconds: 3600 };
const FIELDS = { key: 'user/${filename}', 'Content-Type': 'image/jpeg', 'x-amz-meta-a': 'b' };
const SIGNED = signPostPolicy({ bucket: 'photos', fields: FIELDS }, CREDENTIALS, SIGNING);
const POLICY_JSON = Buffer.from(SIGNED['policy'] ?? '', 'base64');
const POLICY = policyWith({
  service: 's3',
  pathRule: 's3',
  postForms: { longestSeconds: 604_800, bucketOfHost: (host) => /^([^.]+)\.s3\./.exec(host)?.[1] },
});

/** The document itself; it travels in base64. */
const policyDocument: Target = {
  name: 'post-policy',
  covers: CORE,
  seeds: [
    POLICY_JSON,
    '{"expiration":"2026-11-22T12:30:00.123Z","conditions":[["content-length-range",1,"10"],{"acl":"a","b":"c"}]}',
    '{"expiration":"2026-11-22T12:30:00Z","conditions":[["starts-with","$content-type","image/"],["EQ","$Key","a"]]}',
    '{"conditions":[],"expiration":"x","more":1}',
  ],
  words: [
    '["eq","$',
    '"starts-with"',
    '"content-length-range"',
    '{"',
    '"],',
    '$x-ignore-a',
    '"expiration"',
    '__proto__',
  ],
  mostBytes: 2048,
  run(input) {
    isKnownRefusalOrPolicy(parsePostPolicy(input.toString('latin1')));
    const policy = parsePostPolicy(input.toString('base64'));
    if (!isKnownRefusalOrPolicy(policy)) return false;
    const conditions = policy.conditions.map((condition) =>
      condition.kind === 'content-length-range'
        ? [condition.kind, condition.least, condition.most]
        : [condition.kind, `$${condition.field}`, condition.value],
    );
    const expiration = new Date(policy.expiresAt).toISOString();
    const again = parsePostPolicy(Buffer.from(JSON.stringify({ conditions, expiration })).toString('base64'));
    hold(JSON.stringify(again) === JSON.stringify(policy), 'what was read is written and read again');
    return true;
  },
};

/** `NAME:VALUE`, a field a line. What is examined is signed by a second signer. */
const fields: Target = {
  name: 'post-form-fields',
  covers: CORE,
  seeds: [
    linesOf(SIGNED),
    linesOf(signPostPolicy({ bucket: 'photos', fields: { key: 'a' }, conditions: CONDITIONS() }, CREDENTIALS, SIGNING)),
  ],
  words: [
    '\nx-ignore-a:',
    '${filename}',
    'x-amz-security-token:',
    '\nbucket:photos',
    'policy:',
    'image/png,text/plain',
  ],
  mostBytes: 2048,
  run(input) {
    const pairs = linesAsHeaders(input.toString('latin1'));
    const read = new Map<string, string>();
    for (let at = 0; at < pairs.length; at += 2) read.set((pairs[at] ?? '').toLowerCase(), pairs[at + 1] ?? '');
    // The reader of forms lets no other names pass.
    if (![...read.keys()].every(isFieldName)) return false;
    const form = { fields: read, filename: 'cat.jpg' };
    const examined = examinePostForm(form, 'photos', POLICY, NOW);
    if (isKnownRefusal(examined)) return false;
    const { date, region, service, terminator } = examined.scope;
    const scope = [date, region, service, terminator].join('/');
    const signature = independentSignature(SECRET, scope, read.get('policy') ?? '');
    const key = signingKey(examined.scope);
    const isAccepted = !isKnownRefusal(concludePostForm(examined, key));
    hold(isAccepted === (examined.signature === signature), 'accepted if the second signer signs so');
    const signed = examinePostForm(
      { ...form, fields: new Map([...read, ['x-amz-signature', signature]]) },
      'photos',
      POLICY,
      NOW,
    );
    hold('policyText' in signed && !isKnownRefusal(concludePostForm(signed, key)), 'its signature is accepted');
    return true;
  },
};

/** The bytes of a body, whose boundary is a `b`. */
const body: Target = {
  name: 'post-form',
  covers: READER,
  seeds: [
    partsOf(
      [
        ['key', 'user/cat.jpg'],
        ['ACL', 'private'],
      ],
      'the content',
    ),
    partsOf([['key', 'ü']], '\r\n-\r\n--'),
    partsOf(
      [
        ['key', 'a'],
        ['Key', 'b'],
      ],
      'twice',
    ),
    '--b\r\nContent-Disposition: form-data; name=file; filename="a"\r\n' +
      'Content-Type: a/b\r\nContent-Length: 1\r\n\r\nx\r\n--b--',
  ],
  words: [
    '\r\n',
    '--b',
    '--b--',
    '; filename="',
    'Content-Disposition: form-data; name="',
    'Content-Length: 1',
    '"',
    'file',
  ],
  async run(input) {
    const whole = readInPieces(input, input.length);
    const inBytes = readInPieces(input, 1);
    hold(JSON.stringify(whole) === JSON.stringify(inBytes), 'what comes of a body does not depend on how it is cut');
    if (whole.refused !== undefined || whole.fields === undefined) return false;
    const expected: ReadForm = Object.fromEntries(
      [...whole.fields, ['file', '']].map(([name = '', value = '']) => [
        name,
        Buffer.from(value, 'utf8').toString('latin1'),
      ]),
    );
    for (const { name, read } of FORM_ORACLES) {
      const other = await read(input, 'b').catch(() => undefined);
      if (other === undefined) continue;
      // Without a name of its own they read a file as text.
      hold(
        whole.filename === '' || other['file']?.length === whole.fileLength,
        `${name} reads a file of the same length`,
      );
      hold(sorted({ ...other, file: '' }) === sorted(expected), `${name} reads the same fields`);
    }
    return true;
  },
};

/** The head of a form: `METHOD TARGET`, then a header a line. */
const head: Target = {
  name: 'post-form-head',
  covers: [...CORE, ...READER],
  seeds: [
    'POST /photos\nhost:s3.example\ncontent-type:multipart/form-data; boundary=b',
    'POST /\nhost:photos.s3.example\ncontent-type:Multipart/Form-Data;boundary="-b-"',
    'POST /?acl\nhost:s3.example\ncontent-type:text/plain\nx-amz-acl:a',
  ],
  words: [
    'multipart/form-data',
    '; boundary=',
    'host:',
    'photos.s3.',
    '/photos/',
    '\nx-amz-acl:a',
    'content-encoding:',
  ],
  run(input) {
    const [line = '', ...lines] = input.toString('latin1').split('\n');
    const [method = '', target = ''] = line.split(' ');
    const request = { method, target, rawHeaders: linesAsHeaders(lines.join('\n')) };
    const isForm = isPostForm(request, POLICY);
    const examined = examinePostFormHead(request, POLICY);
    if (isKnownRefusal(examined)) return false;
    hold(/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(examined.bucket), 'the name of a bucket, that cannot be read in two ways');
    hold(!isKnownRefusal(parseRequestTarget(target)) && !target.includes('?'), 'a target without a query');
    const boundary = boundaryOf(examined.contentType);
    if (typeof boundary === 'object') return !isKnownRefusal(boundary);
    hold(/^[0-9A-Za-z+._-]{1,70}$/.test(boundary) && examined.contentType.includes(boundary), 'the boundary it states');
    return isForm;
  },
};

export const FORMS: readonly Target[] = [policyDocument, fields, body, head];

function CONDITIONS(): readonly Condition[] {
  return [
    { kind: 'content-length-range', least: 1, most: 10 },
    { kind: 'starts-with', field: 'content-type', value: 'image/' },
  ];
}

function isKnownRefusalOrPolicy(outcome: ReturnType<typeof parsePostPolicy>): outcome is PostPolicy {
  if (isKnownRefusal(outcome)) return false;
  hold(Number.isSafeInteger(outcome.expiresAt), 'an instant');
  return true;
}

function linesOf(form: Readonly<Record<string, string>>): string {
  return Object.entries(form)
    .map(([name, value]) => `${name}:${value}`)
    .join('\n');
}

function partsOf(of: readonly (readonly [string, string])[], file: string): Buffer {
  const part = (name: string, value: string, more = ''): string =>
    `--b\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;
  const text = of.map(([name, value]) => part(name, value)).join('');
  return Buffer.from(`${text}${part('file', file, '; filename="cat.jpg"')}--b--\r\n`);
}

interface Read {
  readonly refused?: unknown;
  readonly fields?: readonly (readonly [string, string])[];
  readonly filename?: string;
  readonly fileLength?: number;
}

function readInPieces(bytes: Buffer, length: number): Read {
  const reader = new FormReader('b');
  for (let at = 0; at < bytes.length; at += length) reader.push(bytes.subarray(at, at + length));
  const refused = reader.end();
  if (refused) return isKnownRefusal(refused) ? { refused } : {};
  const { fields = new Map<string, string>(), filename = '' } = reader.form ?? {};
  return { fields: [...fields], filename, fileLength: reader.fileLength };
}

function sorted(form: ReadForm): string {
  return JSON.stringify(Object.entries(form).sort());
}
