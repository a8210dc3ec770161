import {
  examineRequest,
  describeRequest,
  isRefused,
  presignRequest,
  sha256Hex,
  signRequest,
  verifyRequest,
} from '@sigv4-keyd/sigv4-core';
import type { Examined, KSigning, RequestHead, VerificationPolicy } from '@sigv4-keyd/sigv4-core';
import type { Test } from 'tap';
import { readBothWays } from './both-ways.js';
import { signingKey } from './policy.js';
import { eachVector, parseWireRequest } from './vector-folder.js';
import type { Vector, WireRequest } from './vector-folder.js';
import {
  bodySha256,
  credentialsOf,
  headOf,
  latin1,
  lowerCased,
  nowOf,
  pathRuleOf,
  payloadOf,
  policyOf,
  tokenAddedAfterSigning,
  utf8,
  withoutToken,
} from './vector-requests.js';

eachVector('v4', async (t, vector) => {
  await t.test('header', (t) => checkHeader(t, vector));
  await t.test('presigned', (t) => checkPresigned(t, vector));
});

async function checkHeader(t: Test, vector: Vector): Promise<void> {
  const request = parseWireRequest(vector.file('request.txt'));
  const signed = signRequest(request, credentialsOf(vector), {
    now: nowOf(vector),
    region: vector.context.region,
    service: vector.context.service,
    pathRule: pathRuleOf(vector),
    payload: payloadOf(vector, request),
  });
  t.equal(utf8(signed.canonicalRequest), vector.file('header-canonical-request.txt'), 'canonical request');
  t.equal(signed.stringToSign, vector.file('header-string-to-sign.txt'), 'string to sign');
  const authorization = signed.headers.at(-1)?.[1] ?? '';
  t.equal(/Signature=(.*)$/.exec(authorization)?.[1], vector.file('header-signature.txt').trim(), 'signature');

  const onWire = parseWireRequest(vector.file('header-signed-request.txt'));
  const unsignedToken = tokenAddedAfterSigning(vector).map((value) => ['x-amz-security-token', value] as const);
  t.same(
    lowerCased([...request.headers, ...signed.headers, ...unsignedToken]),
    lowerCased(onWire.headers),
    'signed request',
  );
  await checkVerification(t, vector, onWire, 'header');
}

async function checkPresigned(t: Test, vector: Vector): Promise<void> {
  const request = parseWireRequest(vector.file('request.txt'));
  const signed = presignRequest(request, credentialsOf(vector), {
    now: nowOf(vector),
    region: vector.context.region,
    service: vector.context.service,
    pathRule: pathRuleOf(vector),
    payload: { kind: 'body', sha256: bodySha256(request) },
    expiresSeconds: vector.context.expiration_in_seconds,
  });
  t.equal(utf8(signed.canonicalRequest), vector.file('query-canonical-request.txt'), 'canonical request');
  t.equal(signed.stringToSign, vector.file('query-string-to-sign.txt'), 'string to sign');
  const signature = vector.file('query-signature.txt').trim();
  t.equal(/X-Amz-Signature=(.*)$/.exec(signed.target)?.[1], signature, 'signature');

  const onWire = parseWireRequest(vector.file('query-signed-request.txt'));
  const [token] = tokenAddedAfterSigning(vector);
  const target =
    token === undefined
      ? signed.target
      : signed.target.replace('&X-Amz-Signature', `&X-Amz-Security-Token=${encodeURIComponent(token)}$&`);
  t.equal(target, onWire.target, 'signed request');
  await checkVerification(t, vector, onWire, 'presigned');
}

async function checkVerification(
  t: Test,
  vector: Vector,
  onWire: WireRequest,
  mechanism: 'header' | 'presigned',
): Promise<void> {
  const policy = policyOf(vector);
  const verdict = await verify(vector, headOf(onWire), policy);
  if (tokenAddedAfterSigning(vector).length > 0) {
    // The suite calls this valid: the token was added after signing. Here every x-amz-* value must be signed.
    const reason = mechanism === 'header' ? 'header-not-signed' : 'signature-mismatch';
    t.match(verdict, { verdict: 'refused', reason });
    t.match(await verify(vector, headOf(withoutToken(onWire)), policy), { verdict: 'accepted', mechanism });
    return;
  }
  t.match(verdict, { verdict: 'accepted', mechanism, accessKeyId: vector.context.credentials.access_key_id });
  const examined = examineRequest(headOf(onWire), policy, nowOf(vector));
  if (isRefused(examined)) {
    t.fail('refused before the key', examined);
    return;
  }
  const prefix = mechanism === 'header' ? 'header' : 'query';
  t.same(
    describeRequest(examined, bodySha256(onWire)),
    {
      canonicalRequest: latin1(vector.file(`${prefix}-canonical-request.txt`)),
      stringToSign: vector.file(`${prefix}-string-to-sign.txt`),
    },
    'the verifier sees the same stages',
  );
}

function verify(vector: Vector, head: RequestHead, policy: VerificationPolicy): ReturnType<typeof verifyRequest> {
  const { body } = parseWireRequest(vector.file('request.txt'));
  const now = nowOf(vector);
  const keyOf = ({ scope }: Pick<Examined, 'scope'>): KSigning =>
    signingKey(scope, vector.context.credentials.secret_access_key);
  const hash = sha256Hex(Buffer.from(body));
  // The second time its shape is known, where it has one.
  for (let time = 0; time < 2; time += 1) readBothWays(head, { policy, now, keyOf, bodySha256: hash });
  return verifyRequest(head, policy, {
    now,
    lookupKey: (_, scope) => ({ found: true, key: keyOf({ scope }) }),
    bodySha256: () => Promise.resolve(hash),
  });
}
