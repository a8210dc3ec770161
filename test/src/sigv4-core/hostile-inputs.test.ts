import {
  addDays,
  DAY_MS,
  canonicalHeaderValue,
  canonicalQuery,
  canonicalUri,
  examineRequest,
  formatAmzDate,
  formatCredentialScope,
  isAccessKeyId,
  isRefused,
  isRegionName,
  isScopeDate,
  isSha256Hex,
  isSignature,
  isServiceName,
  normalisePath,
  parseAmzDate,
  parseCredential,
  parsePayloadMode,
  parseQueryParameters,
  parseScopeDate,
  PAYLOAD_TOKENS,
  presignRequest,
  REFUSALS,
  scopeDateOf,
  signRequest,
  startOfScopeDate,
} from '@sigv4-keyd/sigv4-core';
import type { UnsignedRequest } from '@sigv4-keyd/sigv4-core';
import t from 'tap';
import { ACCESS_KEY_ID, policyWith, SECRET } from './policy.js';
import { headerArrival, NOW } from './signed-requests.js';

t.test('scope dates', (t) => {
  for (const date of ['20000101', '20151231', '20240229', '20000229', '99991231']) t.ok(isScopeDate(date), date);
  const none = ['', '2015083', '201508300', '20150832', '20151301', '20150001', '20150100', '20150229', '21000229'];
  none.push(
    '20150431',
    '19991231',
    '00000101',
    '2015-8-3',
    ' 20150830',
    '20150830\n',
    '２０１５０８３０',
    '+2015083',
    'NaN',
  );
  for (const text of none) t.equal(parseScopeDate(text), undefined, JSON.stringify(text));
  const outside = [Number.NaN, Infinity, -1, 0, 8.65e15, Date.UTC(10_000, 0)];
  for (const ms of outside) t.throws(() => scopeDateOf(ms), RangeError);
  t.equal(scopeDateOf(Date.UTC(2026, 10, 22) - 1), '20261121');
  t.equal(scopeDateOf(Date.UTC(2026, 10, 22)), '20261122');
  t.equal(addDays(scopeDateOf(Date.UTC(2024, 1, 28)), 2), '20240301');
  t.equal(addDays(scopeDateOf(Date.UTC(2026, 0, 1)), -1), '20251231');
  t.throws(() => addDays(scopeDateOf(Date.UTC(9999, 11, 31)), 1), RangeError);
  t.equal(startOfScopeDate(scopeDateOf(NOW)), Date.UTC(2026, 10, 22));
  t.end();
});

t.test('a scope date begins when the calendar of the language says so', (t) => {
  const from = Date.UTC(2000, 0);
  const until = Date.UTC(2401, 0);
  let wrong = 0;
  for (let start = from; start < until; start += DAY_MS) {
    if (startOfScopeDate(scopeDateOf(start)) !== start) wrong += 1;
  }
  t.equal(wrong, 0, 'of four centuries');
  t.equal(startOfScopeDate(scopeDateOf(Date.UTC(9999, 11, 31))), Date.UTC(9999, 11, 31));
  t.end();
});

t.test('a digest is 64 lower-case hex digits: each character, at each place', (t) => {
  const good = '0123456789abcdef'.repeat(4);
  for (const isDigest of [isSignature, isSha256Hex]) {
    for (let code = 0; code < 0x200; code += 1) {
      const character = String.fromCharCode(code);
      const isDigit = '0123456789abcdef'.includes(character);
      const found = Array.from(good, (_, at) => isDigest(good.slice(0, at) + character + good.slice(at + 1)));
      t.ok(
        found.every((one) => one === isDigit),
        JSON.stringify(character),
      );
    }
    for (const other of ['', good.slice(1), `${good}0`, `${good}\n`, `\n${good}`]) t.notOk(isDigest(other), other);
  }
  t.end();
});

t.test('x-amz-date', (t) => {
  t.same(parseAmzDate('20150830T123600Z'), { at: Date.UTC(2015, 7, 30, 12, 36), date: '20150830' });
  t.same(parseAmzDate('20151231T235959Z'), { at: Date.UTC(2015, 11, 31, 23, 59, 59), date: '20151231' });
  t.equal(formatAmzDate(Date.UTC(2015, 7, 30, 12, 36, 0, 999)), '20150830T123600Z');
  const none = ['', '20150830', '20150830T123600', '20150830t123600Z', '20150830T123600z', '20150230T123600Z'];
  none.push('20150830T240000Z', '20150830T126000Z', '20150830T123660Z', '20151231T235960Z', '2015-08-30T12:36:00Z');
  none.push('20150830T123600Z ', ' 20150830T123600Z', '20150830T123600Z\n', '20150830T123600.0Z', '20150830T123600+00');
  none.push('20150830T１23600Z', '20150830T12360Z', '20150830T1236000Z', 'NaN', '20150830T-12360Z', '1440938160');
  for (const text of none) t.equal(parseAmzDate(text), undefined, JSON.stringify(text));
  for (const ms of [Number.NaN, -1, Infinity]) t.throws(() => formatAmzDate(ms), RangeError);
  t.end();
});

t.test('credentials', (t) => {
  const good = parseCredential('AKIDEXAMPLE/20150830/us-east-1/s3/aws4_request');
  if (isRefused(good)) throw new Error('refused');
  t.equal(good.accessKeyId, 'AKIDEXAMPLE');
  t.equal(formatCredentialScope(good.scope), '20150830/us-east-1/s3/aws4_request');
  const malformed = ['', '/', '////', '/////', 'AKIDEXAMPLE', '/20150830/us-east-1/s3/aws4_request'];
  malformed.push('AKIDEXAMPLE/20150830/us-east-1/s3', 'AKIDEXAMPLE//us-east-1/s3/aws4_request');
  malformed.push('AKIDEXAMPLE/20150830//s3/aws4_request', 'AKIDEXAMPLE/20150830/us-east-1//aws4_request');
  malformed.push('AKIDEXAMPLE/20150830/us-east-1/s3/aws4_request/', 'x/AKIDEXAMPLE/20150830/us-east-1/s3/aws4_request');
  malformed.push('AKID EXAMPLE/20150830/us-east-1/s3/aws4_request', 'AKIDEXAMPLE/20150230/us-east-1/s3/aws4_request');
  malformed.push('AKIDEXAMPLE/20150830/US-EAST-1/s3/aws4_request', 'AKIDEXAMPLE/20150830/us-east-1/s3\n/aws4_request');
  malformed.push('AKIDEXAMPLE/20150830/../s3/aws4_request', 'AKIDEXAMPLE/20150830/us%2deast/s3/aws4_request');
  malformed.push('/'.repeat(1_000_000));
  for (const text of malformed) {
    t.match(parseCredential(text), { verdict: 'refused', reason: 'malformed-credential' }, text.slice(0, 60));
  }
  for (const end of ['', 'aws4_requesT', 'aws4_request ', 'aws5_request']) {
    t.match(parseCredential(`AKIDEXAMPLE/20150830/us-east-1/s3/${end}`), { reason: 'wrong-terminator' }, end);
  }
  for (const id of ['AKI', 'A_1', 'A'.repeat(128)]) t.ok(isAccessKeyId(id));
  for (const id of ['', 'AK', 'A'.repeat(129), 'AKID-', 'AKIÐ', 'AKI\n', 'A/B']) t.notOk(isAccessKeyId(id), id);
  for (const isName of [isRegionName, isServiceName]) {
    for (const name of ['a', 's3', 'eu-west-1', 'a'.repeat(63)]) t.ok(isName(name), name);
    const none = ['', '-', 'a-', '-a', 'A', 'a.b', 'a/b', 'a_b', 'é', 'a\n', 'a'.repeat(64)];
    for (const name of none) t.notOk(isName(name), name);
  }
  t.end();
});

t.test('canonical URIs', (t) => {
  const rows = [
    ['/', '/', '/'],
    ['/a%20b', '/a%20b', '/a%2520b'],
    ['/%7euser/%41', '/~user/A', '/%257euser/%2541'],
    ['/a%2fb', '/a%2Fb', '/a%252fb'],
    ['/a+b', '/a%2Bb', '/a%2Bb'],
    ["/!$&'()*,:;=@", '/%21%24%26%27%28%29%2A%2C%3A%3B%3D%40', '/%21%24%26%27%28%29%2A%2C%3A%3B%3D%40'],
    ['/\xe1\x88\xb4', '/%E1%88%B4', '/%E1%88%B4'],
    ['//a/./b/../c//', '//a/./b/../c//', '/a/c/'],
    ['/..', '/..', '/'],
    ['/../..//', '/../..//', '/'],
    ['/%2e%2e/a', '/../a', '/%252e%252e/a'],
    ['/a/..b', '/a/..b', '/a/..b'],
  ] as const;
  for (const [path, s3, standard] of rows) {
    t.equal(canonicalUri(path, 's3'), s3, `${path} by the s3 rule`);
    t.equal(canonicalUri(path, 'standard'), standard, `${path} by the standard rule`);
  }
  t.equal(normalisePath('/a/b/..'), '/a');
  t.end();
});

t.test('canonical queries', (t) => {
  const rows = [
    ['', ''],
    ['acl', 'acl='],
    ['&&a=1&', 'a=1'],
    ['=v', '=v'],
    ['a=b=c', 'a=b%3Dc'],
    ['b=1&a=2&a=1&A=3', 'A=3&a=1&a=2&b=1'],
    ['a=1&a-b=1&a0=1', 'a=1&a-b=1&a0=1'],
    ['a=10&a=1&a=%20', 'a=%20&a=1&a=10'],
    ['a=x+y', 'a=x%20y'],
    ['a=x%2By', 'a=x%2By'],
    ['%61=%7e%2f', 'a=~%2F'],
    ['a=/:@', 'a=%2F%3A%40'],
    ['\xe1\x88\xb4=1', '%E1%88%B4=1'],
  ] as const;
  for (const [query, canonical] of rows) {
    const parameters = parseQueryParameters(query);
    if (isRefused(parameters)) throw new Error(`refused: ${query}`);
    t.equal(canonicalQuery(parameters.all, 'header'), canonical, query);
  }
  const signed = parseQueryParameters('X-Amz-Signature=0&a=1');
  if (isRefused(signed)) throw new Error('refused');
  t.equal(canonicalQuery(signed.all, 'presigned'), 'a=1', 'a presigned URL does not sign its signature');
  t.equal(canonicalQuery(signed.all, 'header'), 'X-Amz-Signature=0&a=1', 'a header signs every parameter');
  t.end();
});

t.test('header values', (t) => {
  const rows = [
    ['', ''],
    [' ', ''],
    ['\t \t', ''],
    ['a', 'a'],
    [' a  b\t', 'a b'],
    ['a\tb', 'a b'],
    ['"a   b"', '"a b"'],
  ] as const;
  for (const [value, canonical] of rows) t.equal(canonicalHeaderValue(value), canonical, JSON.stringify(value));
  t.equal(canonicalHeaderValue('\xa0a\xa0'), '\xa0a\xa0', 'only the blanks of HTTP are blanks');
  t.end();
});

t.test('payload modes', (t) => {
  for (const [kind, token] of Object.entries(PAYLOAD_TOKENS)) t.same(parsePayloadMode(token), { kind });
  const none = ['', 'unsigned-payload', 'STREAMING-', 'toString', '__proto__', 'e3b0', 'E'.repeat(64), 'g'.repeat(64)];
  for (const value of none) t.equal(parsePayloadMode(value), undefined, value);
  t.end();
});

t.test('input of great length is read in linear time', (t) => {
  // Each would take minutes, were a step quadratic in it; the runner's own limit would end this test.
  const long = 400_000;
  t.equal(canonicalHeaderValue(`a${' '.repeat(long)}b${' '.repeat(long)}`), 'a b');
  t.equal(canonicalUri(`/${'../'.repeat(long)}`, 'standard'), '/');
  const examine = (target: string, rawHeaders: readonly string[]): unknown =>
    examineRequest({ method: 'GET', target, rawHeaders }, policyWith(), NOW);
  const reason = 'missing-authentication';
  t.match(examine(`/${'/'.repeat(long)}?${'&a'.repeat(long)}`, []), { reason });
  t.match(examine('/', Array<string>(long).fill('a')), { reason });
  t.match(examine('/', ['authorization', `AWS4-HMAC-SHA256 ${','.repeat(long)}`]), {
    reason: 'malformed-authorization',
  });
  t.match(examine(`/${'%'.repeat(long)}`, []), { reason: 'malformed-target' });
  t.end();
});

t.test('signing refuses what no verifier would accept', (t) => {
  const request: UnsignedRequest = { method: 'GET', target: '/', headers: [['host', 'a']] };
  const credentials = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET };
  const signing = { now: NOW, region: 'us-east-1', service: 'service', payload: { kind: 'unsigned' } } as const;
  const presigning = { ...signing, expiresSeconds: 60 };
  t.doesNotThrow(() => signRequest(request, credentials, signing));
  for (const target of ['', 'a', '/a b', '/%', '/#', '/?X-Amz-Signature=0', '/?x-amz-date=0']) {
    t.throws(() => signRequest({ ...request, target }, credentials, signing), TypeError, target);
  }
  const withHeader = (name: string, value: string): UnsignedRequest => ({
    ...request,
    headers: [...request.headers, [name, value]],
  });
  const unwelcome = ['authorization', 'X-Amz-Date', 'x-amz-content-sha256', 'X-Amz-Security-Token', 'host', 'a b', ''];
  for (const name of unwelcome) {
    t.throws(() => signRequest(withHeader(name, 'x'), credentials, signing), TypeError, name);
  }
  t.throws(() => signRequest(withHeader('a', 'x\r\ny: z'), credentials, signing), TypeError);
  t.throws(() => signRequest({ ...request, headers: [] }, credentials, signing), TypeError);
  t.throws(() => signRequest({ ...request, method: '' }, credentials, signing), TypeError);
  for (const change of [{ region: 'US' }, { service: '' }, { now: Number.NaN }]) {
    t.throws(() => signRequest(request, credentials, { ...signing, ...change }), RangeError);
  }
  const payload = { kind: 'exact', sha256: 'ABC' } as const;
  t.throws(() => signRequest(request, credentials, { ...signing, payload }), RangeError);
  t.throws(() => signRequest(request, { ...credentials, accessKeyId: '' }, signing), RangeError);
  for (const expiresSeconds of [0, -1, 1.5, Number.NaN, 604_801, Infinity]) {
    t.throws(() => presignRequest(request, credentials, { ...presigning, expiresSeconds }), RangeError);
  }
  t.end();
});

t.test('every refusal has a sentence of its own that says what to do', (t) => {
  const sentences = Object.values(REFUSALS);
  t.equal(new Set(sentences).size, sentences.length);
  // Of forms, S3 has words of its own, which clients look for; what to do comes behind them.
  const inWordsOfS3 = /^(?:Bucket POST must|Invalid according to Policy:|Your proposed upload)/;
  for (const sentence of sentences.filter((one) => !inWordsOfS3.test(one))) {
    t.match(sentence, /^(?:Send|Sign|Use|Check|Try|End|Get|List|Presign)\b.*\.$/);
  }
  t.end();
});

t.test('nothing of a head is changed by examining it', (t) => {
  const before = structuredClone(headerArrival.head);
  examineRequest(headerArrival.head, headerArrival.policy, NOW);
  t.same(headerArrival.head, before);
  t.end();
});
