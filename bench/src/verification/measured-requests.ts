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

/** One request that everybody verifies. */
export interface MeasuredRequest {
  readonly kind: Kind;
  readonly service: string;
  readonly method: string;
  readonly target: string;
  /** What the client had before it signed. */
  readonly headers: readonly (readonly [string, string])[];
  readonly head: RequestHead;
  readonly canonicalRequest: string;
  readonly stringToSign: string;
  readonly policy: VerificationPolicy;
  readonly key: KSigning;
}

type Unsigned = Pick<MeasuredRequest, 'kind' | 'method' | 'target' | 'headers'>;

const BODY_SHA256 = sha256Hex(Buffer.from('body'));

const REQUESTS: readonly Unsigned[] = [
  { kind: 'GET', method: 'GET', target: '/2026/11/22/a-picture-of-a-place-0001.jpg', headers: [['Host', HOST]] },
  {
    kind: 'PUT',
    method: 'PUT',
    target: '/2026/11/22/a-picture-of-a-place-0002.jpg',
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
    target: '/2026/11/22/a-picture-of-a-place-0003.jpg?x-id=GetObject',
    headers: [['Host', HOST]],
  },
];

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
  return REQUESTS.map((request) => ({ ...request, ...signed(request, service), service, policy, key }));
}

export function keyInHex(key: KSigning): string {
  return exportKSigning(key).toString('hex');
}

function signed(
  { kind, method, target, headers }: Unsigned,
  service: string,
): Pick<MeasuredRequest, 'head' | 'canonicalRequest' | 'stringToSign'> {
  const signing = { region: REGION, service, now: NOW };
  if (kind === 'presigned') {
    const payload = { kind: 'unsigned' } as const;
    const session = { ...ACCESS_KEY, sessionToken: SESSION_TOKEN };
    const presigned = presignRequest({ method, target, headers }, session, {
      ...signing,
      expiresSeconds: 3_600,
      ...(service === 's3' ? {} : { payload }),
    });
    const { canonicalRequest, stringToSign } = presigned;
    return { canonicalRequest, stringToSign, head: { method, target: presigned.target, rawHeaders: headers.flat() } };
  }
  const payload = { kind: 'exact', sha256: BODY_SHA256 } as const;
  const request = signRequest({ method, target, headers }, ACCESS_KEY, { ...signing, payload });
  const { canonicalRequest, stringToSign } = request;
  // Only these: what was measured of the peers would else be another request, without the client's own headers.
  return {
    canonicalRequest,
    stringToSign,
    head: { method, target, rawHeaders: [...headers, ...request.headers].flat() },
  };
}
