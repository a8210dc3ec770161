import {
  describeRequest,
  ecdsaPrivateKey,
  ecdsaPublicKey,
  ecdsaSignatureMatches,
  examineRequest,
  exportEcdsaPublicKey,
  importEcdsaPublicKey,
  isRefused,
  presignRequestV4a,
  sha256Hex,
  signRequestV4a,
  verifyRequest,
} from '@sigv4-keyd/sigv4-core';
import type { EcdsaPublicKey, RequestHead, VerificationPolicy } from '@sigv4-keyd/sigv4-core';
import type { Test } from 'tap';
import { z } from 'zod';
import { eachVector, parseWireRequest } from '../sigv4-core/vector-folder.js';
import type { Vector, WireRequest } from '../sigv4-core/vector-folder.js';
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
} from '../sigv4-core/vector-requests.js';

const PublicKey = z.object({ X: z.string(), Y: z.string() });

eachVector('v4a', async (t, vector) => {
  if (vector.has('public-key.json')) {
    t.equal(exportEcdsaPublicKey(derivedKeyOf(vector)).toString('hex'), publishedKeyOf(vector), 'public key');
  }
  await checkHeader(t, vector);
  await checkPresigned(t, vector);
});

async function checkHeader(t: Test, vector: Vector): Promise<void> {
  const request = parseWireRequest(vector.file('request.txt'));
  const signed = signRequestV4a(request, credentialsOf(vector), {
    now: nowOf(vector),
    regionSet: [vector.context.region],
    service: vector.context.service,
    pathRule: pathRuleOf(vector),
    payload: payloadOf(vector, request),
  });
  await checkOwn(t, vector, { ...request, headers: [...request.headers, ...signed.headers] });
  if (!vector.has('header-signature.txt')) return;
  t.equal(utf8(signed.canonicalRequest), vector.file('header-canonical-request.txt'), 'header: canonical request');
  t.equal(signed.stringToSign, vector.file('header-string-to-sign.txt'), 'header: string to sign');
  const onWire = parseWireRequest(vector.file('header-signed-request.txt'));
  const unsignedToken = tokenAddedAfterSigning(vector).map((value) => ['x-amz-security-token', value] as const);
  t.same(
    lowerCased([...request.headers, ...signed.headers, ...unsignedToken]).map(withoutSignature),
    lowerCased(onWire.headers).map(withoutSignature),
    'header: signed request',
  );
  await checkTheirs(t, vector, onWire, 'header');
}

async function checkPresigned(t: Test, vector: Vector): Promise<void> {
  const request = parseWireRequest(vector.file('request.txt'));
  const signed = presignRequestV4a(request, credentialsOf(vector), {
    now: nowOf(vector),
    regionSet: [vector.context.region],
    service: vector.context.service,
    pathRule: pathRuleOf(vector),
    payload: { kind: 'body', sha256: bodySha256(request) },
    expiresSeconds: vector.context.expiration_in_seconds,
  });
  await checkOwn(t, vector, { ...request, target: signed.target });
  if (!vector.has('query-signature.txt')) return;
  t.equal(utf8(signed.canonicalRequest), vector.file('query-canonical-request.txt'), 'presigned: canonical request');
  t.equal(signed.stringToSign, vector.file('query-string-to-sign.txt'), 'presigned: string to sign');
  const onWire = parseWireRequest(vector.file('query-signed-request.txt'));
  const [token] = tokenAddedAfterSigning(vector);
  const target =
    token === undefined
      ? signed.target
      : signed.target.replace('&X-Amz-Region-Set', `&X-Amz-Security-Token=${encodeURIComponent(token)}$&`);
  t.equal(withoutSignature(target), withoutSignature(onWire.target), 'presigned: signed request');
  await checkTheirs(t, vector, onWire, 'query');
}

/** Signatures are random: theirs are verified with the published key, never compared with ours. */
async function checkTheirs(t: Test, vector: Vector, onWire: WireRequest, prefix: 'header' | 'query'): Promise<void> {
  const key = importEcdsaPublicKey(Buffer.from(publishedKeyOf(vector), 'hex'));
  const text = vector.file(`${prefix}-string-to-sign.txt`);
  t.ok(ecdsaSignatureMatches(key, text, vector.file(`${prefix}-signature.txt`).trim()), `${prefix}: their signature`);
  const policy = ecdsaPolicyOf(vector);
  const verdict = await verify(vector, headOf(onWire), key);
  const mechanism = prefix === 'header' ? 'header' : 'presigned';
  const accepted = { verdict: 'accepted', mechanism, algorithm: 'AWS4-ECDSA-P256-SHA256' };
  if (tokenAddedAfterSigning(vector).length > 0) {
    const reason = prefix === 'header' ? 'header-not-signed' : 'signature-mismatch';
    t.match(verdict, { verdict: 'refused', reason });
    t.match(await verify(vector, headOf(withoutToken(onWire)), key), accepted);
    return;
  }
  t.match(verdict, { ...accepted, regionSet: [vector.context.region] });
  const examined = examineRequest(headOf(onWire), policy, nowOf(vector));
  if (isRefused(examined)) {
    t.fail('refused before the key', examined);
    return;
  }
  t.same(
    describeRequest(examined, bodySha256(onWire)),
    { canonicalRequest: latin1(vector.file(`${prefix}-canonical-request.txt`)), stringToSign: text },
    `${prefix}: the verifier sees the same stages`,
  );
}

async function checkOwn(t: Test, vector: Vector, onWire: WireRequest): Promise<void> {
  t.match(await verify(vector, headOf(onWire), derivedKeyOf(vector)), { verdict: 'accepted' }, 'ours verifies');
}

function verify(vector: Vector, head: RequestHead, key: EcdsaPublicKey): ReturnType<typeof verifyRequest> {
  const { body } = parseWireRequest(vector.file('request.txt'));
  return verifyRequest(head, ecdsaPolicyOf(vector), {
    now: nowOf(vector),
    lookupKey: () => ({ found: true, key }),
    bodySha256: () => Promise.resolve(sha256Hex(Buffer.from(body))),
  });
}

function ecdsaPolicyOf(vector: Vector): VerificationPolicy {
  return { ...policyOf(vector), algorithms: new Set(['AWS4-ECDSA-P256-SHA256']) };
}

function derivedKeyOf({ context }: Vector): EcdsaPublicKey {
  const { access_key_id: accessKeyId, secret_access_key: secretAccessKey } = context.credentials;
  return ecdsaPublicKey(ecdsaPrivateKey(secretAccessKey, accessKeyId));
}

function publishedKeyOf(vector: Vector): string {
  const { X, Y } = PublicKey.parse(JSON.parse(vector.file('public-key.json')));
  return X + Y;
}

function withoutSignature(text: string): string {
  return text.replace(/(Signature=)[0-9a-f]+/, '$1');
}
