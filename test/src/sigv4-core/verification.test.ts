import {
  addDays,
  concludeRequest,
  describeRequest,
  EMPTY_BODY_SHA256,
  examineRequest,
  isRefused,
  PAYLOAD_TOKENS,
  presignRequest,
  scopeDateOf,
  signRequest,
  verifyRequest,
} from '@sigv4-keyd/sigv4-core';
import type {
  CredentialScope,
  KeyFinding,
  KeyLookup,
  KeyMissingReason,
  RequestHead,
  SigningPayload,
  VerificationPolicy,
} from '@sigv4-keyd/sigv4-core';
import t from 'tap';
import { ACCESS_KEY_ID, policyWith, SECRET, signingKey } from './policy.js';
import { headOf, signedForScope } from './scope-signing.js';
import { BODY_SHA256, headerArrival, NOW, presignedArrival, verify } from './signed-requests.js';

const CREDENTIALS = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET };
const HOST = ['host', 'storage.example'] as const;
const s3Policy = policyWith({ service: 's3', pathRule: 's3' });

t.test('a signature of an old scope cannot be used today', async (t) => {
  const today = scopeDateOf(NOW);
  const modes = [...Object.values(PAYLOAD_TOKENS), BODY_SHA256, undefined];
  for (const [mechanism, days] of [
    ['header', 1],
    ['presigned', 1],
    ['header', -1],
    ['presigned', -1],
  ] as const) {
    for (const mode of modes) {
      const scope = { ...scopeOf(s3Policy), date: addDays(today, days) };
      // The holder of the key of that day signs it all correctly, but for saying that it was signed today.
      const { verdict, lookups } = await verify({
        head: signedForScope(mechanism, scope, mode),
        policy: s3Policy,
        now: NOW,
        body: 'the body',
      });
      t.match(verdict, { reason: 'scope-date-mismatch' }, `${mechanism}, ${mode ?? 'no mode'}, ${days}`);
      t.equal(lookups, 0, 'no key was looked up');
    }
    // The same by the scope of today is good: it is the date alone that was refused above.
    const head = signedForScope(mechanism, scopeOf(s3Policy), 'UNSIGNED-PAYLOAD');
    t.match((await verify({ head, policy: s3Policy, now: NOW, body: '' })).verdict, { verdict: 'accepted', mechanism });
  }
});

t.test('why there is no key is told, and no body is read for it', async (t) => {
  const reasons: readonly KeyMissingReason[] = [
    'access-key-unknown',
    'access-key-disabled',
    'access-key-expired',
    'access-key-not-for-scope',
    'scope-revoked',
    'keys-unavailable',
    'feed-stale',
  ];
  for (const { head, policy, now } of [headerArrival, presignedArrival]) {
    for (const reason of reasons) {
      const lookupKey = (): KeyFinding => ({ found: false, reason });
      const bodySha256 = (): Promise<string> => Promise.reject(new Error('the body was read'));
      t.same(await verifyRequest(head, policy, { now, lookupKey, bodySha256 }), { verdict: 'refused', reason });
    }
  }
});

t.test('a lookup that fails is no verdict', async (t) => {
  const { head, policy, now } = headerArrival;
  const lookupKey = (): Promise<KeyFinding> => Promise.reject(new Error('the source is gone'));
  await t.rejects(verifyRequest(head, policy, { now, lookupKey }), { message: 'the source is gone' });
});

t.test('what was revoked while the body came is not accepted', async (t) => {
  for (const { head, policy, now } of [headerArrival, presignedArrival]) {
    let isRevoked = false;
    const lookupKey: KeyLookup = (_accessKeyId, scope) => ({
      found: true,
      key: signingKey(scope),
      objection: () => (isRevoked ? 'scope-revoked' : undefined),
    });
    const bodySha256 = (): Promise<string> => Promise.resolve(BODY_SHA256);
    const meanwhileRevoked = (): Promise<string> => {
      isRevoked = true;
      return bodySha256();
    };
    t.match(await verifyRequest(head, policy, { now, lookupKey, bodySha256 }), { verdict: 'accepted' });
    t.same(await verifyRequest(head, policy, { now, lookupKey, bodySha256: meanwhileRevoked }), {
      verdict: 'refused',
      reason: 'scope-revoked',
    });
  }
});

t.test('the lookup is told whose key for which scope', async (t) => {
  const asked: unknown[] = [];
  const { head, policy, now } = presignedArrival;
  const lookupKey = (...question: readonly unknown[]): KeyFinding => {
    asked.push(question);
    return { found: false, reason: 'access-key-unknown' };
  };
  await verifyRequest(head, policy, { now, lookupKey });
  const scope = { date: '20261122', region: 'us-east-1', service: 'service', terminator: 'aws4_request' };
  t.same(asked, [[ACCESS_KEY_ID, scope, 'AWS4-HMAC-SHA256', undefined]]);
});

t.test('S3 paths are what was sent', async (t) => {
  const rows = [
    ['/b/a%2Fb', '/b/a/b', 'signature-mismatch'],
    ['/b/a/b', '/b/a%2Fb', 'signature-mismatch'],
    ['/b/a%2Fb', '/b/a%2fb', 'accepted'],
    ['/b//a', '/b//a', 'accepted'],
    ['/b//a', '/b/a', 'signature-mismatch'],
    ['/b/x/../a', '/b/x/../a', 'accepted'],
    ['/b/x/../a', '/b/a', 'signature-mismatch'],
    ['/b/a', '/b/./a', 'signature-mismatch'],
    ['/b/~a', '/b/%7Ea', 'accepted'],
    ['/b/a%2Bb', '/b/a+b', 'accepted'],
    ['/b/a%20b', '/b/a+b', 'signature-mismatch'],
    ['/b/a%2520b', '/b/a%20b', 'signature-mismatch'],
    ['/b/%C3%BC', '/b/\xc3\xbc', 'accepted'],
    ['/b/a?a=%20', '/b/a?a=+', 'accepted'],
    ['/b/a?a=%2B', '/b/a?a=+', 'signature-mismatch'],
  ] as const;
  for (const [signed, sent, expected] of rows) {
    const { verdict } = await verify({
      head: { ...signedHead(signed, { kind: 'exact', sha256: BODY_SHA256 }), target: sent },
      policy: s3Policy,
      now: NOW,
      body: 'the body',
    });
    t.equal(verdict.verdict === 'accepted' ? 'accepted' : verdict.reason, expected, `${signed} sent as ${sent}`);
  }
});

t.test('a presigned URL that states no payload mode', async (t) => {
  const request = { method: 'PUT', target: '/b/a', headers: [HOST] };
  const signing = { now: NOW, region: 'us-east-1', expiresSeconds: 60 };
  const s3 = { ...request, target: presignRequest(request, CREDENTIALS, { ...signing, service: 's3' }).target };
  const other = { ...request, target: presignRequest(request, CREDENTIALS, { ...signing, service: 'service' }).target };
  const any = { now: NOW, body: 'any' };
  t.match(await verify({ ...any, head: headOf(s3), policy: s3Policy }), {
    verdict: { verdict: 'accepted', payload: { kind: 'unsigned' } },
    bodiesHashed: 0,
  });
  t.match(await verify({ ...any, head: headOf(other), policy: policyWith() }), {
    verdict: { reason: 'signature-mismatch' },
    bodiesHashed: 1,
  });
  t.match(await verify({ ...any, body: '', head: headOf(other), policy: policyWith() }), {
    verdict: { verdict: 'accepted', payload: { kind: 'body' }, payloadSha256: EMPTY_BODY_SHA256 },
  });
  const strict = { ...s3Policy, payloadModes: new Set(['exact'] as const) };
  t.match(await verify({ ...any, head: headOf(s3), policy: strict }), { verdict: { reason: 'payload-mode-refused' } });
});

t.test('every payload mode of HMAC requests is accepted in the header, and its body left to the caller', async (t) => {
  const kinds = ['unsigned', 'streaming-signed', 'streaming-signed-trailer', 'streaming-unsigned-trailer'] as const;
  for (const kind of kinds) {
    const chunked = kind === 'unsigned' ? [] : [['x-amz-decoded-content-length', '3'] as const];
    const trailers = kind.endsWith('-trailer') ? [['x-amz-trailer', 'x-amz-checksum-crc32'] as const] : [];
    const head = signedHead('/b/a', { kind }, [HOST, ...chunked, ...trailers]);
    const arrival = { head, policy: s3Policy, now: NOW, body: 'any' };
    const { verdict, bodiesHashed } = await verify(arrival);
    t.match(verdict, { verdict: 'accepted', payload: { kind } });
    t.notOk('payloadSha256' in verdict, 'the body is not said to be proven');
    t.equal(bodiesHashed, 0);
  }
});

t.test('a body that was not hashed is not proven', (t) => {
  const key = signingKey(scopeOf(s3Policy));
  const exact = examineRequest(signedHead('/', { kind: 'exact', sha256: BODY_SHA256 }), s3Policy, NOW);
  const body = examineRequest(signedHead('/', { kind: 'body', sha256: BODY_SHA256 }), s3Policy, NOW);
  if (isRefused(exact) || isRefused(body)) throw new Error('refused');
  t.notOk('payloadSha256' in concludeRequest(exact, key));
  t.match(concludeRequest(exact, key, BODY_SHA256), { verdict: 'accepted', payloadSha256: BODY_SHA256 });
  t.match(concludeRequest(exact, key, EMPTY_BODY_SHA256), { reason: 'payload-hash-mismatch' });
  t.match(concludeRequest(body, key), { reason: 'payload-mode-refused' });
  t.match(concludeRequest(body, key, EMPTY_BODY_SHA256), { reason: 'signature-mismatch' });
  t.match(describeRequest(body), { reason: 'payload-mode-refused' });
  const anotherKey = signingKey(scopeOf(s3Policy), 'another');
  t.match(concludeRequest(body, anotherKey, BODY_SHA256), { reason: 'signature-mismatch' });
  t.end();
});

t.test('a key of one scope signs as the secret does', (t) => {
  const request = { method: 'GET', target: '/', headers: [HOST] };
  const signing = { now: NOW, region: 'us-east-1', service: 's3', payload: { kind: 'unsigned' } } as const;
  const key = signingKey(scopeOf(s3Policy));
  const byKey = signRequest(request, { accessKeyId: ACCESS_KEY_ID, key }, signing);
  t.same(byKey, signRequest(request, CREDENTIALS, signing));
  t.end();
});

function scopeOf({ region, service }: VerificationPolicy): CredentialScope {
  return { date: scopeDateOf(NOW), region, service, terminator: 'aws4_request' };
}

function signedHead(
  target: string,
  payload: SigningPayload,
  headers: readonly (readonly [string, string])[] = [HOST],
): RequestHead {
  const request = { method: 'PUT', target, headers };
  const signed = signRequest(request, CREDENTIALS, { now: NOW, region: 'us-east-1', service: 's3', payload });
  return headOf({ ...request, headers: [...headers, ...signed.headers] });
}
