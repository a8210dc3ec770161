import { createHash } from 'node:crypto';
import {
  exportKSigning,
  kDate,
  kRegion,
  kSecret,
  kService,
  kSigning,
  policyFor,
  presignRequest,
  scopeDateOf,
  sha256Hex,
  signRequest,
  type KSigning,
  type RequestHead,
  type VerificationPolicy,
} from '@sigv4-keyd/sigv4-core';

export const ACCESS_KEY = {
  accessKeyId: 'AKIABENCHMARKS0001',
  secretAccessKey: 'a made-up secret for measuring only!',
};
/** Base64 of 400 bytes, about what real sessions have. */
export const SESSION_TOKEN = Buffer.concat(
  Array.from({ length: 13 }, (_, n) => createHash('sha256').update(`token ${n}`).digest()),
).toString('base64');
export const NOW = Date.parse('2026-11-22T12:00:00Z');
export const REGION = 'us-east-1';
export const HOST = 'photographs.storage.us-east-1.example.com';

export const KINDS = ['GET', 'PUT', 'presigned'] as const;
type Kind = (typeof KINDS)[number];

/** More than a processor learns by heart: it guesses digests wrong that it has not met. */
const LIKE_IT = 512;

/** One request that everybody verifies. */
export interface MeasuredRequest {
  readonly kind: Kind;
  readonly service: string;
  readonly method: string;
  readonly target: string;
  /** What is signed: the client's own headers, and unless presigned the time and the hash of the body. */
  readonly headers: readonly (readonly [string, string])[];
  readonly head: RequestHead;
  /** Requests of the same client for other objects, with other bodies, so that each has a signature of its own. */
  readonly othersLikeIt: readonly RequestHead[];
  readonly canonicalRequest: string;
  readonly stringToSign: string;
  readonly policy: VerificationPolicy;
  readonly key: KSigning;
}

type Unsigned = Pick<MeasuredRequest, 'kind' | 'method' | 'target' | 'headers'>;

const REQUESTS: readonly Unsigned[] = [
  { kind: 'GET', method: 'GET', target: '/2026/11/22/a-picture-of-a-place-0000.jpg', headers: [['Host', HOST]] },
  {
    kind: 'PUT',
    method: 'PUT',
    target: '/2026/11/22/a-picture-of-a-place-0000.jpg',
    headers: [
      ['Host', HOST],
      ['Content-Type', 'application/octet-stream'],
      ['Content-MD5', 'CY9rzUYh03PK3k6DJie09g=='],
      ['x-amz-acl', 'private'],
      ['x-amz-meta-place', 'a mountain above a lake, seen from the shore'],
      ['x-amz-meta-taken', '2026-11-22T09:30:00+01:00 by a camera on a tripod'],
    ],
  },
  {
    kind: 'presigned',
    method: 'GET',
    target: '/2026/11/22/a-picture-of-a-place-0000.jpg?x-id=GetObject',
    headers: [['Host', HOST]],
  },
];

const NUMBER = /\d{4}(?=\.jpg)/;

/** A GET, a PUT with eight signed headers, and a presigned GET of a session. */
export function measuredRequests(service: string): readonly MeasuredRequest[] {
  const secret = kSecret(ACCESS_KEY.secretAccessKey);
  const key = kSigning(kService(kRegion(kDate(secret, scopeDateOf(NOW)), REGION), service));
  const policy = policyFor(
    { region: REGION, service },
    {
      algorithms: ['AWS4-HMAC-SHA256'],
      hosts: [HOST],
      payloadModes: ['exact', 'body'],
      clockSkewSeconds: 900,
      presigned: { longestSeconds: 604_800 },
      sessionTokens: 'signed',
      unnormalisedPaths: 'refused',
    },
  );
  return REQUESTS.map((request) => {
    const othersLikeIt = Array.from({ length: LIKE_IT }, (_, number) => signed(request, service, number).head);
    return { ...request, ...signed(request, service), othersLikeIt, service, policy, key };
  });
}

export function keyInHex(key: KSigning): string {
  return exportKSigning(key).toString('hex');
}

/** `number`: of the object. */
function signed(
  { kind, method, target: path, headers }: Unsigned,
  service: string,
  number = 0,
): Pick<MeasuredRequest, 'head' | 'headers' | 'canonicalRequest' | 'stringToSign'> {
  const signing = { region: REGION, service, now: NOW };
  const target = path.replace(NUMBER, String(number).padStart(4, '0'));
  if (kind === 'presigned') {
    const payload = { kind: 'unsigned' } as const;
    const session = { ...ACCESS_KEY, sessionToken: SESSION_TOKEN };
    const presigned = presignRequest({ method, target, headers }, session, {
      ...signing,
      expiresSeconds: 3_600,
      ...(service === 's3' ? {} : { payload }),
    });
    const { canonicalRequest, stringToSign } = presigned;
    const head = { method, target: presigned.target, rawHeaders: headers.flat() };
    return { head, headers, canonicalRequest, stringToSign };
  }
  const payload = { kind: 'exact', sha256: sha256Hex(Buffer.from(`body ${number}`)) } as const;
  const request = signRequest({ method, target, headers }, ACCESS_KEY, { ...signing, payload });
  const { canonicalRequest, stringToSign } = request;
  const all = [...headers, ...request.headers];
  return {
    head: { method, target, rawHeaders: all.flat() },
    headers: all.filter(([name]) => name !== 'authorization'),
    canonicalRequest,
    stringToSign,
  };
}
