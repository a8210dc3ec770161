import {
  checkFileLength,
  concludePostForm,
  examinePostForm,
  examinePostFormHead,
  formatAmzDate,
  isPostForm,
  isRefused,
  parsePostPolicy,
  signatureOf,
  signPostPolicy,
  type ExaminedPostForm,
  type PostForm,
  type Refused,
  type VerificationPolicy,
} from '@sigv4-keyd/sigv4-core';
import fc from 'fast-check';
import t from 'tap';
import { ACCESS_KEY_ID, policyWith, SECRET, signingKey } from './policy.js';

const NOW = Date.parse('2026-11-22T10:00:00Z');
const DAY = 86_400;
const SCOPE = { date: '20261122', region: 'eu-west-1', service: 's3', terminator: 'aws4_request' };
const CREDENTIALS = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET };
const POLICY = policyWith({
  region: 'eu-west-1',
  service: 's3',
  pathRule: 's3',
  postForms: { longestSeconds: 7 * DAY, bucketOfHost: (host) => /^(.+)\.files\.example$/.exec(host)?.[1] },
});

/** What a hand-made form is made of; every part can be made wrong alone. */
interface Draft {
  readonly conditions?: readonly unknown[];
  /** Over the fields of a plain form; undefined leaves one out. */
  readonly fields?: Readonly<Record<string, string | undefined>>;
  readonly filename?: string;
  readonly expiration?: unknown;
  readonly more?: object;
  /** The policy as text before base64, or the field itself. */
  readonly json?: string;
  readonly policyField?: string;
  readonly amzDate?: string;
  readonly scope?: Partial<typeof SCOPE>;
  readonly bucket?: string;
  readonly now?: number;
  readonly policy?: Partial<VerificationPolicy>;
}

function formOf(draft: Draft): PostForm {
  const amzDate = draft.amzDate ?? formatAmzDate(NOW);
  const scope = { ...SCOPE, ...draft.scope };
  const authenticating = {
    'x-amz-algorithm': 'AWS4-HMAC-SHA256',
    'x-amz-credential': `${ACCESS_KEY_ID}/${scope.date}/${scope.region}/${scope.service}/${scope.terminator}`,
    'x-amz-date': amzDate,
  };
  const document = {
    expiration: 'expiration' in draft ? draft.expiration : '2026-11-22T11:00:00Z',
    conditions: [
      { bucket: 'photos' },
      ...Object.entries(authenticating).map(([name, value]) => ({ [name]: value })),
      ...(draft.conditions ?? [['starts-with', '$key', 'user/']]),
    ],
    ...draft.more,
  };
  const text = draft.policyField ?? Buffer.from(draft.json ?? JSON.stringify(document)).toString('base64');
  const { date, region, service } = scope;
  const key = signingKey({ date, region, service, terminator: 'aws4_request' } as Parameters<typeof signingKey>[0]);
  const fields = new Map<string, string>(
    Object.entries({ key: 'user/cat.jpg', ...authenticating, policy: text, 'x-amz-signature': signatureOf(key, text) }),
  );
  for (const [name, value] of Object.entries(draft.fields ?? {})) {
    if (value === undefined) fields.delete(name);
    else fields.set(name, value);
  }
  return { fields, filename: draft.filename ?? 'cat.jpg' };
}

function examine(draft: Draft = {}): ExaminedPostForm | Refused {
  const policy = { ...POLICY, ...draft.policy };
  return examinePostForm(formOf(draft), draft.bucket ?? 'photos', policy, draft.now ?? NOW);
}

function reasonOf(outcome: object): string {
  if (!isRefused(outcome)) return 'accepted';
  return outcome.detail === undefined ? outcome.reason : `${outcome.reason}: ${outcome.detail}`;
}

/** Each draft with what comes of it. */
type Cases = Readonly<Record<string, readonly [expected: string, draft: Draft]>>;

function check(t: { equal: (a: unknown, b: unknown, name: string) => void }, cases: Cases): void {
  for (const [name, [expected, draft]] of Object.entries(cases)) t.equal(reasonOf(examine(draft)), expected, name);
}

t.test('the published example has the published signature, and is judged as it says', (t) => {
  const text = [
    'eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgICB7ImJ1Y2tldCI6ICJz',
    'aWd2NGV4YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91c2VyMS8iXSwNCiAgICB7ImFjbCI6ICJw',
    'dWJsaWMtcmVhZCJ9LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy5hbWF6',
    'b25hd3MuY29tL3N1Y2Nlc3NmdWxfdXBsb2FkLmh0bWwifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2Uv',
    'Il0sDQogICAgeyJ4LWFtei1tZXRhLXV1aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRp',
    'b24iOiAiQUVTMjU2In0sDQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAiIl0sDQoNCiAgICB7IngtYW16LWNyZWRl',
    'bnRpYWwiOiAiQUtJQUlPU0ZPRE5ON0VYQU1QTEUvMjAxNTEyMjkvdXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9LA0KICAgIHsieC1hbXot',
    'YWxnb3JpdGhtIjogIkFXUzQtSE1BQy1TSEEyNTYifSwNCiAgICB7IngtYW16LWRhdGUiOiAiMjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9',
  ].join('');
  const fields = {
    key: 'user/user1/${filename}',
    acl: 'public-read',
    success_action_redirect: 'http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html',
    'content-type': 'image/jpeg',
    'x-amz-meta-uuid': '14365123651274',
    'x-amz-server-side-encryption': 'AES256',
    'x-amz-credential': 'AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request',
    'x-amz-algorithm': 'AWS4-HMAC-SHA256',
    'x-amz-date': '20151229T000000Z',
    'x-amz-meta-tag': '',
    policy: text,
    'x-amz-signature': '8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e',
  };
  const form = { fields: new Map(Object.entries(fields)), filename: 'cat.jpg' };
  const policy = { ...POLICY, region: 'us-east-1' };
  const examined = examinePostForm(form, 'sigv4examplebucket', policy, Date.parse('2015-12-29T10:00:00Z'));
  if (isRefused(examined)) throw new Error(reasonOf(examined));
  const scope = examined.scope;
  const key = signingKey(scope, 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY');
  t.match(concludePostForm(examined, key), {
    verdict: 'accepted',
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    mechanism: 'post-form',
    expiresAt: Date.parse('2015-12-30T12:00:00Z'),
    payload: { kind: 'unsigned' },
  });
  t.equal(reasonOf(concludePostForm(examined, signingKey(scope, 'another'))), 'signature-mismatch');
  t.end();
});

t.test('every condition, met and violated', (t) => {
  const acl = { acl: 'private' };
  check(t, {
    'a plain form': ['accepted', {}],
    'an object, met': ['accepted', { conditions: [{ key: 'user/cat.jpg' }] }],
    'an object, violated': ['post-policy-condition-failed: eq $key', { conditions: [{ key: 'user/dog.jpg' }] }],
    'an object that the value begins with': [
      'post-policy-condition-failed: eq $key',
      { conditions: [{ key: 'user/' }] },
    ],
    'an object of two': [
      'post-policy-condition-failed: eq $acl',
      { conditions: [{ key: 'user/cat.jpg', acl: 'public-read' }], fields: acl },
    ],
    'eq, met': ['accepted', { conditions: [['eq', '$key', 'user/cat.jpg']] }],
    'eq, violated': ['post-policy-condition-failed: eq $key', { conditions: [['eq', '$key', 'user/cat.jpg ']] }],
    'eq, by case': ['post-policy-condition-failed: eq $key', { conditions: [['eq', '$key', 'user/CAT.jpg']] }],
    'starts-with, violated': [
      'post-policy-condition-failed: starts-with $key',
      { conditions: [['starts-with', '$key', 'users/']] },
    ],
    'starts-with anything': ['accepted', { conditions: [['starts-with', '$key', '']] }],
    'two on one field, the second violated': [
      'post-policy-condition-failed: eq $key',
      {
        conditions: [
          ['starts-with', '$key', 'user/'],
          ['eq', '$key', 'user/other'],
        ],
      },
    ],
    'operators and names in any case': [
      'accepted',
      { conditions: [['StArTs-WiTh', '$KeY', 'user/'], { aCl: 'private' }], fields: acl },
    ],
    'a condition on a field that is not there': [
      'post-policy-condition-failed: starts-with $acl',
      {
        conditions: [
          ['starts-with', '$key', ''],
          ['starts-with', '$acl', ''],
        ],
      },
    ],
    'a field without a condition': ['form-field-not-in-policy: acl', { fields: acl }],
    'key without a condition': ['form-field-not-in-policy: key', { conditions: [['content-length-range', 0, 9]] }],
    'a field to be ignored': ['accepted', { fields: { 'x-ignore-submit': 'Send' } }],
    'a field to be ignored, with a condition': [
      'post-policy-condition-failed: eq $x-ignore-submit',
      { conditions: [['starts-with', '$key', ''], { 'x-ignore-submit': 'Go' }], fields: { 'x-ignore-submit': 'Send' } },
    ],
    'near the name of a field to be ignored': ['form-field-not-in-policy: x-ignored', { fields: { 'x-ignored': '' } }],
    'the bucket of another': ['post-policy-condition-failed: eq $bucket', { bucket: 'others' }],
    'a bucket field that says what the policy does, sent to another': [
      'post-policy-condition-failed: eq $bucket',
      { bucket: 'others', fields: { bucket: 'photos' } },
    ],
    'a bucket field of another, sent to the bucket of the policy': [
      'post-policy-condition-failed: eq $bucket',
      { fields: { bucket: 'others' } },
    ],
    'a bucket field that agrees': ['accepted', { fields: { bucket: 'photos' } }],
    'a redirect elsewhere': [
      'post-policy-condition-failed: starts-with $success_action_redirect',
      {
        conditions: [
          ['starts-with', '$key', ''],
          ['starts-with', '$success_action_redirect', 'https://example.com/'],
        ],
        fields: { success_action_redirect: 'https://example.org/' },
      },
    ],
  });
  t.end();
});

t.test('a list of content types begins so in every element', (t) => {
  const conditions = [
    ['starts-with', '$key', ''],
    ['starts-with', '$Content-Type', 'image/'],
  ];
  const refused = 'post-policy-condition-failed: starts-with $content-type';
  const types: Readonly<Record<string, string>> = {
    'image/png': 'accepted',
    'image/png,image/jpeg': 'accepted',
    'image/png, image/jpeg': 'accepted',
    'image/png,text/html': refused,
    'text/html,image/png': refused,
    'image/png,': refused,
    '': refused,
  };
  for (const [type, expected] of Object.entries(types)) {
    t.equal(reasonOf(examine({ conditions, fields: { 'content-type': type } })), expected, type);
  }
  const cacheControl = {
    conditions: [
      ['starts-with', '$key', ''],
      ['starts-with', '$cache-control', 'no-'],
    ],
  };
  t.equal(reasonOf(examine({ ...cacheControl, fields: { 'cache-control': 'no-cache,max-age=1' } })), 'accepted');
  t.end();
});

t.test('the name of the file counts in every reading that an upstream may have', (t) => {
  const failed = (condition: string): string => `post-policy-condition-failed: ${condition}`;
  const startsWith = (value: string): readonly unknown[] => [['starts-with', '$key', value]];
  const key = 'user/${filename}';
  const path = 'malformed-form: filename: a path, or an escaped character';
  check(t, {
    'behind the beginning': ['accepted', { fields: { key }, filename: 'a b+ü.jpg' }],
    'the beginning itself': [failed('starts-with $key'), { fields: { key: '${filename}' }, filename: 'user_x' }],
    'put in, it would be met': [
      failed('starts-with $key'),
      { conditions: startsWith('user_'), fields: { key: '${filename}' }, filename: 'user_x' },
    ],
    'as sent, it would be met': [
      failed('starts-with $key'),
      { conditions: startsWith('${'), fields: { key: '${filename}' }, filename: 'user_x' },
    ],
    'exactly what is put in': [
      failed('eq $key'),
      { conditions: [{ key: 'user/cat.jpg' }], fields: { key }, filename: 'cat.jpg' },
    ],
    'exactly what is sent': [failed('eq $key'), { conditions: [{ key }], fields: { key }, filename: 'cat.jpg' }],
    'in another field': [
      failed('starts-with $acl'),
      {
        conditions: [...startsWith(''), ['starts-with', '$acl', 'private']],
        fields: { acl: '${filename}' },
        filename: 'private',
      },
    ],
    twice: ['malformed-form: key: ${filename} more than once', { fields: { key: `${key}-\${filename}` } }],
    'a path': [path, { fields: { key }, filename: '../other' }],
    'a path of Windows': [path, { fields: { key }, filename: 'C:\\cat.jpg' }],
    'an escaped quote': [path, { fields: { key }, filename: 'a%22b' }],
    'a path that nothing asks for': ['accepted', { filename: '../other' }],
    'no name': ['accepted', { fields: { key }, filename: '' }],
  });
  t.end();
});

t.test('the length of the file', (t) => {
  const lengthOf = (...ranges: readonly (readonly unknown[])[]): object => {
    const examined = examine({ conditions: [['starts-with', '$key', ''], ...ranges] });
    return isRefused(examined) ? examined : examined.fileLength;
  };
  t.strictSame(lengthOf(), { least: 0, most: Infinity });
  t.strictSame(lengthOf(['content-length-range', 1, 10]), { least: 1, most: 10 });
  t.strictSame(lengthOf(['Content-Length-Range', '1', '10']), { least: 1, most: 10 }, 'in digits, as some signers do');
  const both = lengthOf(['content-length-range', 1, 10], ['content-length-range', 5, 20]);
  t.strictSame(both, { least: 5, most: 10 }, 'all of several count');
  const range = { least: 5, most: 10 };
  const outcomes = [4, 5, 10, 11, Number.NaN].map(
    (length) => checkFileLength(length, range, { isWhole: true })?.reason,
  );
  t.strictSame(outcomes, ['file-too-small', undefined, undefined, 'file-too-large', 'file-too-large']);
  t.equal(checkFileLength(4, range, { isWhole: false }), undefined, 'more may come');
  t.equal(checkFileLength(11, range, { isWhole: false })?.reason, 'file-too-large');
  const wrong: readonly (readonly unknown[])[] = [
    ['content-length-range', 1],
    ['content-length-range', 1, 2, 3],
    ['content-length-range', 2, 1],
    ['content-length-range', -1, 1],
    ['content-length-range', 0, 1.5],
    ['content-length-range', 0, 1e300],
    ['content-length-range', 0, 2 ** 53],
    ['content-length-range', '', ''],
    ['content-length-range', '0x1', '10'],
    ['content-length-range', null, null],
    ['content-length-range', '$key', ''],
  ];
  for (const one of wrong) t.match(reasonOf(lengthOf(one)), /^malformed-post-policy: /, JSON.stringify(one));
  t.end();
});

t.test('the policy itself', (t) => {
  const notJson = 'malformed-post-policy: not base64 of a JSON object in UTF-8';
  const expiration = 'malformed-post-policy: expiration';
  const base64 = (bytes: string | Buffer): string => Buffer.from(bytes).toString('base64');
  const document = '{"expiration":"2026-11-22T11:00:00Z","conditions":[]}';
  check(t, {
    'no base64': [notJson, { policyField: document }],
    'base64 with a line break': [notJson, { policyField: `${base64(document)}\n` }],
    'base64 without padding': [notJson, { policyField: base64('{"a":1}').replaceAll('=', '') }],
    'base64 for URLs': [notJson, { policyField: base64('{"?":">>>"}').replaceAll('+', '-').replaceAll('/', '_') }],
    'no JSON': [notJson, { json: document.slice(1) }],
    'JSON with an escaped dollar sign': [notJson, { json: document.replace('[]', '[["eq","\\$key",""]]') }],
    'an array': [notJson, { json: '[]' }],
    null: [notJson, { json: 'null' }],
    'no UTF-8': [notJson, { policyField: base64(Buffer.from('{"expiration":"\xff"}', 'latin1')) }],
    'a byte order mark': [notJson, { json: `\ufeff${document}` }],
    'no expiration': [expiration, { json: '{"conditions":[]}' }],
    EXPIRATION: [expiration, { json: document.replace('expiration', 'EXPIRATION') }],
    'no conditions': ['malformed-post-policy: conditions', { json: '{"expiration":"2026-11-22T11:00:00Z"}' }],
    'an empty list': ['malformed-post-policy: conditions', { json: document }],
    'conditions that are no list': ['malformed-post-policy: conditions', { json: document.replace('[]', '{}') }],
    'something else': ['malformed-post-policy: more than expiration and conditions', { more: { version: 1 } }],
  });
  const wrongTimes = [
    '2026-11-22',
    '2026-11-22 11:00:00Z',
    '2026-11-22T11:00:00',
    '2026-11-22T11:00:00+00:00',
    '2026-11-22T24:00:00Z',
    '2026-11-22T11:00:60Z',
    '2026-02-30T11:00:00Z',
    '20261122T110000Z',
    '2026-11-22T11:00:00.Z',
    '2026-11-22t11:00:00z',
    ' 2026-11-22T11:00:00Z',
    '+002026-11-22T11:00:00Z',
    'never',
    '',
  ];
  for (const time of [...wrongTimes, 1_795_345_200, null, {}]) {
    t.equal(reasonOf(examine({ expiration: time })), expiration, JSON.stringify(time));
  }
  const wrongConditions: readonly unknown[] = [
    {},
    [],
    'eq',
    null,
    7,
    ['eq'],
    ['eq', '$key'],
    ['eq', '$key', 'a', 'b'],
    ['eq', 'key', 'a'],
    ['eq', '$', 'a'],
    ['eq', '$ke y', 'a'],
    ['eq', '$key', 7],
    ['eq', '$key', null],
    ['eq', '$key', ['user/cat.jpg']],
    ['ends-with', '$key', '.jpg'],
    ['in', '$key', ['a']],
    [7, '$key', 'a'],
    { key: 7 },
    { key: null },
    { $key: 'user/cat.jpg' },
    { 'a b': '' },
    ['starts-with', '$file', ''],
    ['starts-with', '$policy', ''],
    { 'x-amz-signature': '' },
    ['starts-with', '$bucket', 'pho'],
    ['starts-with', '$x-amz-credential', ''],
    ['starts-with', '$x-amz-date', ''],
    ['starts-with', '$x-amz-algorithm', ''],
    ['starts-with', '$x-amz-security-token', ''],
  ];
  for (const condition of wrongConditions) {
    const outcome = examine({ conditions: [['starts-with', '$key', ''], condition] });
    t.match(reasonOf(outcome), /^malformed-post-policy: /, JSON.stringify(condition));
  }
  t.match(parsePostPolicy(base64('{"expiration":"2026-11-22T11:00:00.25Z","conditions":[{"__proto__":"x"}]}')), {
    expiresAt: Date.parse('2026-11-22T11:00:00.250Z'),
    conditions: [{ kind: 'eq', field: '__proto__', value: 'x' }],
  });
  t.end();
});

t.test('the fields of the signature', (t) => {
  for (const name of ['key', 'policy', 'x-amz-algorithm', 'x-amz-credential', 'x-amz-date', 'x-amz-signature']) {
    t.equal(reasonOf(examine({ fields: { [name]: undefined } })), `missing-form-field: ${name}`);
    t.equal(reasonOf(examine({ fields: { [name]: '' } })), `missing-form-field: ${name}`, 'empty');
  }
  const credential = (text: string): Draft => ({ fields: { 'x-amz-credential': text } });
  check(t, {
    'another algorithm': ['unsupported-algorithm', { fields: { 'x-amz-algorithm': 'AWS4-HMAC-SHA1' } }],
    SigV4A: [
      'unsupported-algorithm: AWS4-ECDSA-P256-SHA256',
      {
        fields: { 'x-amz-algorithm': 'AWS4-ECDSA-P256-SHA256' },
        policy: { algorithms: new Set(['AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256']) },
      },
    ],
    'an algorithm that is switched off': [
      'unsupported-algorithm: AWS4-HMAC-SHA256',
      { policy: { algorithms: new Set(['AWS4-ECDSA-P256-SHA256']) } },
    ],
    'a credential of four parts': [
      'malformed-credential: it has not five parts',
      credential('AKID/20261122/s3/aws4_request'),
    ],
    'another terminator': ['wrong-terminator', credential(`${ACCESS_KEY_ID}/20261122/eu-west-1/s3/aws5_request`)],
    'a signature in upper case': ['malformed-signature', { fields: { 'x-amz-signature': 'A'.repeat(64) } }],
    'another region': ['wrong-region', { scope: { region: 'us-east-1' } }],
    'another service': ['wrong-service', { scope: { service: 'sqs' } }],
    'a date that is none': ['malformed-date', { amzDate: '20261122' }],
    'the scope of another day': ['scope-date-mismatch', { scope: { date: '20261121' } }],
    'a day outside the window': ['date-outside-window', { policy: { acceptsDate: () => false } }],
    'a session token': [
      'session-token-refused',
      { fields: { 'x-amz-security-token': 'token' }, policy: { sessionTokens: 'refused' } },
    ],
    'a session token without a condition': [
      'form-field-not-in-policy: x-amz-security-token',
      { fields: { 'x-amz-security-token': 'token' } },
    ],
    'fields of the signature without a condition': [
      'form-field-not-in-policy: x-amz-credential',
      {
        json: JSON.stringify({
          expiration: '2026-11-22T11:00:00Z',
          conditions: [{ bucket: 'photos' }, ['starts-with', '$key', ''], { 'x-amz-algorithm': 'AWS4-HMAC-SHA256' }],
        }),
      },
    ],
  });
  t.end();
});

t.test('a form lives from its date to the expiration of its policy', (t) => {
  const at = (time: string): number => Date.parse(time);
  check(t, {
    'just before': ['accepted', { now: at('2026-11-22T10:59:59.999Z') }],
    'at the expiration': ['post-policy-expired', { now: at('2026-11-22T11:00:00Z') }],
    'a day later': ['post-policy-expired', { now: at('2026-11-23T11:00:00Z') }],
    'signed within the skew ahead': ['accepted', { now: NOW - 900_000 }],
    'signed in the future': ['post-policy-not-yet-valid', { now: NOW - 900_001 }],
    'the longest life': ['accepted', { expiration: '2026-11-29T10:00:00Z' }],
    'a longer life': ['post-policy-lives-too-long', { expiration: '2026-11-29T10:00:00.001Z' }],
    'a life of centuries': ['post-policy-lives-too-long', { expiration: '9999-12-31T23:59:59Z' }],
    'on its last day': ['accepted', { expiration: '2026-11-29T10:00:00Z', now: at('2026-11-29T09:59:59Z') }],
    'a longest life of an hour': [
      'accepted',
      { policy: { postForms: { longestSeconds: 3600, bucketOfHost: () => undefined } } },
    ],
    'a longest life of less': [
      'post-policy-lives-too-long',
      { policy: { postForms: { longestSeconds: 3599, bucketOfHost: () => undefined } } },
    ],
    'a clock that is broken': ['post-policy-not-yet-valid', { now: Number.NaN }],
    'a longest life that is no number': [
      'post-policy-lives-too-long',
      { policy: { postForms: { longestSeconds: Number.NaN, bucketOfHost: () => undefined } } },
    ],
  });
  t.end();
});

t.test('what is a form, and where it may be sent', (t) => {
  const TYPE = ['content-type', 'multipart/form-data; boundary=b'];
  const head = (target: string, ...headers: readonly string[]) => ({
    method: 'POST',
    target,
    rawHeaders: ['host', 'files.example', ...TYPE, ...headers],
  });
  t.ok(isPostForm(head('/photos'), POLICY));
  t.ok(isPostForm(head('/photos?delete'), POLICY), 'a query makes it a form that is refused');
  t.notOk(isPostForm(head('/photos', 'authorization', 'x'), POLICY), 'signed in the header');
  t.notOk(isPostForm(head('/photos?X-Amz-Signature=0'), POLICY), 'presigned');
  t.notOk(isPostForm({ ...head('/photos'), method: 'PUT' }, POLICY));
  t.notOk(isPostForm({ ...head('/photos'), rawHeaders: ['content-type', 'text/plain'] }, POLICY));
  t.notOk(isPostForm({ ...head('/photos'), rawHeaders: ['content-type', 'multipart/form-datax'] }, POLICY));
  t.notOk(isPostForm(head('/photos', ...TYPE), POLICY), 'two content types');
  t.notOk(isPostForm(head('/photos'), { ...POLICY, service: 'sqs' }));
  t.notOk(isPostForm(head('/photos'), policyWith({ service: 's3' })), 'not unless it is switched on');

  const bucketAt = (target: string, host = 'files.example', ...headers: readonly string[]): string => {
    const outcome = examinePostFormHead(
      { method: 'POST', target, rawHeaders: ['host', host, ...TYPE, ...headers] },
      POLICY,
    );
    return isRefused(outcome) ? reasonOf(outcome) : outcome.bucket;
  };
  t.equal(bucketAt('/photos'), 'photos');
  t.equal(bucketAt('/photos/'), 'photos');
  t.equal(bucketAt('/', 'my.photos.files.example'), 'my.photos');
  for (const target of [
    '/photos/key',
    '/%70hotos',
    '//photos',
    '/.',
    '/..',
    '/-',
    '/photos//',
    '/pho~tos',
    '/a/../photos',
  ]) {
    t.equal(bucketAt(target), 'form-target-refused: the path', target);
  }
  for (const target of ['/photos?', '/photos?delete', '/photos?uploads', '/?x']) {
    t.equal(bucketAt(target), 'form-target-refused: a query', target);
  }
  t.equal(bucketAt('/'), 'form-target-refused: no bucket');
  t.equal(bucketAt('/photos', 'others.files.example'), 'form-target-refused: the path', 'two buckets');
  t.equal(bucketAt('/', '-.files.example'), 'form-target-refused: no bucket');
  t.equal(bucketAt('/photos', 'files.example', 'x-amz-acl', 'public-read'), 'header-not-signed: x-amz-acl');
  t.equal(bucketAt('/photos', 'files.example', 'X_Amz_Acl', 'public-read'), 'header-not-signed: x_amz_acl');
  t.match(bucketAt('/photos', 'files.example', 'x-http-method-override', 'DELETE'), /^header-not-signed/);
  t.equal(bucketAt('/photos', 'files.example', 'content-encoding', 'gzip'), 'malformed-form: content-encoding');
  const elsewhere = { ...POLICY, acceptsHost: () => false };
  t.equal(reasonOf(examinePostFormHead(head('/photos'), elsewhere)), 'host-not-served');
  t.end();
});

t.test('what signPostPolicy signs is accepted, and nothing else', (t) => {
  const signing = { now: NOW, region: 'eu-west-1', service: 's3', expiresSeconds: 3600 };
  const name = fc.stringMatching(/^x-amz-meta-[a-z0-9]{1,8}$/);
  const value = fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => !text.includes('${'));
  fc.assert(
    fc.property(fc.dictionary(name, value), value, fc.boolean(), (metadata, key, withName) => {
      const fields = { key: withName ? `k${key}\${filename}` : `k${key}`, ...metadata };
      const signed = signPostPolicy(
        { bucket: 'photos', fields, conditions: [{ kind: 'content-length-range', least: 1, most: 9 }] },
        CREDENTIALS,
        signing,
      );
      const form = { fields: new Map(Object.entries(signed)), filename: 'cat.jpg' };
      const examined = examinePostForm(form, 'photos', POLICY, NOW);
      if (isRefused(examined)) throw new Error(reasonOf(examined));
      if (isRefused(concludePostForm(examined, signingKey(examined.scope)))) throw new Error('signature');
      for (const [name, text] of Object.entries(signed)) {
        const changed = { ...form, fields: new Map([...form.fields, [name, `${text}x`]]) };
        const outcome = examinePostForm(changed, 'photos', POLICY, NOW);
        const isKeyBehindItsBeginning = name === 'key' && withName;
        if (isRefused(outcome) === isKeyBehindItsBeginning) throw new Error(`${name}: ${reasonOf(outcome)}`);
      }
    }),
    { numRuns: 100 },
  );
  const plain = { bucket: 'photos', fields: { key: 'k' } };
  t.throws(() => signPostPolicy({ ...plain, fields: {} }, CREDENTIALS, signing), /add the field key/);
  t.throws(() => signPostPolicy({ ...plain, fields: { key: 'k', KEY: 'k' } }, CREDENTIALS, signing), /twice/);
  t.throws(() => signPostPolicy({ ...plain, fields: { key: 'k', 'a b': '' } }, CREDENTIALS, signing), /name fields/);
  t.throws(
    () => signPostPolicy({ ...plain, fields: { key: 'k', Policy: '' } }, CREDENTIALS, signing),
    /remove the field/,
  );
  t.throws(() => signPostPolicy(plain, CREDENTIALS, { ...signing, expiresSeconds: 604_801 }), /604800/);
  t.throws(() => signPostPolicy(plain, CREDENTIALS, { ...signing, region: 'EU' }), /region/);
  t.end();
});
