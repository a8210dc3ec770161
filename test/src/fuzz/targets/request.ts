import {
  concludeRequest,
  ecdsaPrivateKey,
  ecdsaPublicKey,
  ecdsaSignatureOf,
  examineRequest,
  type Examined,
  type RequestHead,
  type VerificationPolicy,
} from '@sigv4-keyd/sigv4-core';
import { hold, type Target } from '../engine/target.js';
import { aws4, smithy } from '../../sigv4-core/oracles.js';
import type { ArbitraryRequest } from '../../sigv4-core/arbitrary-request.js';
import { ACCESS_KEY_ID, policyWith, SECRET, signingKey } from '../../sigv4-core/policy.js';
import { signWithSdk } from '../../sigv4a/ecdsa-clients.js';
import { independentSignature, independentStringToSign } from './independent-signer.js';
import { isKnownRefusal } from './refusals.js';
import { linesAsHeaders } from './request-parts.js';
import { BODY_SHA256, NOW, presentedIn, withSignature } from './second-signer.js';

const PRIVATE_KEY = ecdsaPrivateKey(SECRET, ACCESS_KEY_ID);
const PUBLIC_KEY = ecdsaPublicKey(PRIVATE_KEY);

const REQUEST: ArbitraryRequest = {
  method: 'PUT',
  path: '/photos/a%20b',
  query: new Map([
    ['prefix', ['x/y', 'z']],
    ['list-type', ['2']],
  ]),
  headers: new Map([['x-amz-meta-a', ['one  two', 'three']]]),
  host: 'example.amazonaws.com',
  body: 'the body',
  secretAccessKey: SECRET,
  sessionToken: undefined,
  now: NOW,
};

/** What requests are made of. */
export const REQUEST_WORDS: readonly string[] = [
  ...[
    'X-Amz-Signature=',
    'X-Amz-Date',
    'X-Amz-Expires=1',
    'x-amz-meta-a:',
    'x-amz-content-sha256:',
    'UNSIGNED-PAYLOAD',
  ],
  ...[
    '\n',
    '%2F',
    '%20',
    '+',
    '&',
    '=',
    '//',
    '/../',
    ';x-amz-meta-a',
    'x-amz-security-token:a\n',
    '/s3/',
    '\t',
    'host',
  ],
  ...[
    'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    'x-amz-decoded-content-length:1\n',
    'x-amz-trailer:',
    'x-amz-checksum-crc32',
  ],
];

/**
 * A whole head. What is examined is signed by a second signer: its signature has to be accepted, and no other one may
 * be. So what the verifier reads is what a signer reads, whatever stands in the request.
 */
const request: Target = {
  name: 'request',
  covers: ['packages/sigv4-core/dist/'],
  seeds: await signedElsewhere(REQUEST),
  words: REQUEST_WORDS,
  mostBytes: 2048,
  run(input) {
    const head = headOf(input.toString('latin1'));
    const policy = policyFor(head);
    const examined = examineRequest(head, policy, NOW);
    if (isKnownRefusal(examined)) return false;
    const presented = presentedIn(head, examined, policy);
    const stringToSign = independentStringToSign(head, presented);
    if (examined.algorithm === 'AWS4-HMAC-SHA256') {
      const signature = independentSignature(SECRET, presented.scope, stringToSign);
      hold(verdictOf(examined) === (examined.signature === signature), 'accepted if the second signer signs so');
      hold(isAccepted(withSignature(head, examined, signature), policy), 'what the second signer signs is accepted');
    } else {
      const signature = ecdsaSignatureOf(PRIVATE_KEY, stringToSign);
      hold(isAccepted(withSignature(head, examined, signature), policy), 'what the second signer signs is accepted');
      const other = ecdsaSignatureOf(PRIVATE_KEY, `${stringToSign}0`);
      hold(!isAccepted(withSignature(head, examined, other), policy), 'what was signed of another request is not');
    }
    return true;
  },
};

export const REQUESTS: readonly Target[] = [request];

/** Heads that other implementations signed. */
export async function signedElsewhere(request: ArbitraryRequest): Promise<readonly Buffer[]> {
  const seeds: Buffer[] = [];
  const texts = ({ target, headers }: { target: string; headers: readonly (readonly [string, string])[] }): Buffer =>
    Buffer.from([`PUT ${target}`, ...headers.map(([name, value]) => `${name}:${value}`)].join('\n'));
  for (const service of ['service', 's3']) {
    for (const mechanism of ['header', 'presigned'] as const) {
      for (const oracle of [smithy, aws4]) {
        // aws4 signs one of several S3 parameters of a name.
        const query = new Map([['prefix', ['x/y']]]);
        const signing = { mechanism, service, region: 'us-east-1', expiresSeconds: 60 };
        seeds.push(texts(await oracle.sign({ ...request, ...(oracle === aws4 && { query }) }, signing)));
      }
    }
    seeds.push(texts(await signWithSdk(request, { service, regionSet: 'us-*,eu-west-1' })));
  }
  return seeds;
}

/** `METHOD TARGET`, then a header a line. */
export function headOf(text: string): RequestHead {
  const end = text.indexOf('\n');
  const line = end < 0 ? text : text.slice(0, end);
  const [method = '', ...target] = line.split(' ');
  return { method, target: target.join(' '), rawHeaders: end < 0 ? [] : linesAsHeaders(text.slice(end + 1)) };
}

export function policyFor({ target, rawHeaders }: RequestHead): VerificationPolicy {
  const isS3 = /(?:\/|%2F)s3(?:\/|%2F)/.test(target + rawHeaders.join('\n'));
  return policyWith({
    algorithms: new Set(['AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256']),
    service: isS3 ? 's3' : 'service',
    pathRule: isS3 ? 's3' : 'standard',
  });
}

function verdictOf(examined: Examined): boolean {
  const key = examined.algorithm === 'AWS4-HMAC-SHA256' ? signingKey(examined.scope) : PUBLIC_KEY;
  // A stated hash is compared with the body by whoever reads it.
  const bodySha256 = examined.payload.kind === 'body' ? BODY_SHA256 : undefined;
  const verdict = concludeRequest(examined, key, bodySha256);
  return !isKnownRefusal(verdict);
}

function isAccepted(head: RequestHead, policy: VerificationPolicy): boolean {
  const examined = examineRequest(head, policy, NOW);
  return !isKnownRefusal(examined) && verdictOf(examined);
}
