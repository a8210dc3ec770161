import { presignRequest, sha256Hex, signRequest, verifyRequest } from '@sigv4-keyd/sigv4-core';
import type {
  Credentials,
  Examined,
  KSigning,
  SigningPayload,
  UnsignedRequest,
  VerificationPolicy,
} from '@sigv4-keyd/sigv4-core';
import fc from 'fast-check';
import t from 'tap';
import { arbitraryRequest } from './arbitrary-request.js';
import type { ArbitraryRequest } from './arbitrary-request.js';
import { readBothWays } from './both-ways.js';
import { aws4, smithy } from './oracles.js';
import type { OracleSigned, Signing } from './oracles.js';
import { ACCESS_KEY_ID, policyWith, signingKey } from './policy.js';

const RUNS = 120;
const REGION = 'eu-west-1';

for (const oracle of [smithy, aws4]) {
  for (const service of ['s3', 'dynamodb']) {
    for (const mechanism of ['header', 'presigned'] as const) {
      t.test(`${oracle.name}, ${service}, ${mechanism}`, async (t) => {
        const signing: Signing = { mechanism, service, region: REGION, expiresSeconds: 3600 };
        const property = fc.asyncProperty(arbitraryRequest(oracle.limits(service)), async (request) => {
          const signed = await oracle.sign(request, signing);
          const verdict = await verify(request, signed, policyOf(service));
          if (verdict.verdict === 'refused') throw new Error(`refused: ${verdict.reason} ${verdict.detail ?? ''}`);
          const sign = mechanism === 'header' ? signHeader : presign;
          const ours = sign(request, signed, signing);
          if (ours !== signatureIn(signed)) throw new Error(`our signature ${ours} is not ${signatureIn(signed)}`);
        });
        await t.resolves(fc.assert(property, { numRuns: RUNS }));
      });
    }
  }
}

// Paths that a server may serve as another path: oracles sign them all alike, so the verifier must tell them apart.
const ODD_SEGMENTS = fc.array(fc.constantFrom('', '.', '..', 'a', '...', '%2E%2E', '.a'), {
  minLength: 1,
  maxLength: 6,
});

for (const oracle of [smithy, aws4]) {
  t.test(`${oracle.name}, paths that are not normalised`, async (t) => {
    const signing: Signing = { mechanism: 'header', service: 'dynamodb', region: REGION, expiresSeconds: 3600 };
    const requests = fc
      .tuple(arbitraryRequest(oracle.limits('dynamodb')), ODD_SEGMENTS)
      .map(([request, segments]) => ({ ...request, path: `/${segments.join('/')}` }));
    const property = fc.asyncProperty(requests, async (request) => {
      const signed = await oracle.sign(request, signing);
      const lenient = await verify(request, signed, { ...policyOf('dynamodb'), unnormalisedPaths: 'accepted' });
      if (lenient.verdict === 'refused') throw new Error(`refused: ${lenient.reason} ${lenient.detail ?? ''}`);
      const strict = await verify(request, signed, policyOf('dynamodb'));
      const odd = request.path.split('/').slice(1, -1).includes('') || /\/\.{1,2}(\/|$)/.test(request.path);
      const expected = odd ? 'path-not-normalised' : 'accepted';
      const found = strict.verdict === 'refused' ? strict.reason : strict.verdict;
      if (found !== expected) throw new Error(`${request.path}: ${found}, not ${expected}`);
    });
    await t.resolves(fc.assert(property, { numRuns: RUNS }));
  });
}

function verify(
  request: ArbitraryRequest,
  signed: OracleSigned,
  policy: VerificationPolicy,
): ReturnType<typeof verifyRequest> {
  const head = {
    method: request.method,
    target: latin1(signed.target),
    rawHeaders: signed.headers.flatMap(([name, value]) => [latin1(name), latin1(value)]),
  };
  const { now } = request;
  const keyOf = ({ scope }: Pick<Examined, 'scope'>): KSigning => signingKey(scope, request.secretAccessKey);
  // The second time its shape is known, where it has one.
  for (let time = 0; time < 2; time += 1) {
    readBothWays(head, { policy, now, keyOf, bodySha256: bodySha256(request) });
  }
  return verifyRequest(head, policy, {
    now,
    lookupKey: (_, scope) => ({ found: true, key: keyOf({ scope }) }),
    bodySha256: () => Promise.resolve(bodySha256(request)),
  });
}

function signHeader(request: ArbitraryRequest, signed: OracleSigned, signing: Signing): string {
  const { headers } = signRequest(unsigned(request, signed), credentialsOf(request), {
    ...signing,
    now: request.now,
    payload: { kind: signing.service === 's3' ? 'exact' : 'body', sha256: bodySha256(request) },
  });
  return signatureIn({ target: '', headers });
}

function presign(request: ArbitraryRequest, signed: OracleSigned, signing: Signing): string {
  const unstated: SigningPayload | undefined =
    signing.service === 's3' ? undefined : { kind: 'body', sha256: bodySha256(request) };
  const payload = signed.target.includes('X-Amz-Content-Sha256=UNSIGNED-PAYLOAD')
    ? ({ kind: 'unsigned' } as const)
    : unstated;
  const { target } = presignRequest(unsigned(request, signed), credentialsOf(request), {
    ...signing,
    now: request.now,
    ...(payload === undefined ? {} : { payload }),
  });
  return signatureIn({ target, headers: [] });
}

/** The signed request without all that signing adds. */
function unsigned(request: ArbitraryRequest, { target, headers }: OracleSigned): UnsignedRequest {
  const [path = '', query = ''] = target.split('?');
  const parameters = query.split('&').filter((part) => part !== '' && !part.startsWith('X-Amz-'));
  return {
    method: request.method,
    target: parameters.length === 0 ? path : `${path}?${parameters.join('&')}`,
    headers: headers.filter(([name]) => !ADDED.has(name.toLowerCase())),
  };
}

const ADDED: ReadonlySet<string> = new Set([
  'authorization',
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-security-token',
]);

function signatureIn({ target, headers }: OracleSigned): string {
  const authorization = headers.find(([name]) => name.toLowerCase() === 'authorization')?.[1] ?? '';
  return /Signature=([0-9a-f]{64})/.exec(`${target} ${authorization}`)?.[1] ?? 'none';
}

/** One a service for all requests, so that what is learnt of one is used for others. */
const POLICIES: Readonly<Record<string, VerificationPolicy>> = {
  s3: policyWith({ region: REGION, service: 's3', pathRule: 's3' }),
  dynamodb: policyWith({ region: REGION, service: 'dynamodb' }),
};

function policyOf(service: string): VerificationPolicy {
  return POLICIES[service] ?? policyWith();
}

function credentialsOf({ secretAccessKey, sessionToken }: ArbitraryRequest): Credentials {
  return { accessKeyId: ACCESS_KEY_ID, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

function bodySha256(request: ArbitraryRequest): string {
  return sha256Hex(Buffer.from(request.body));
}

function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
