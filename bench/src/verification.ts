import { createHash, createHmac } from 'node:crypto';
import { Sha256 } from '@aws-crypto/sha256-js';
import {
  concludeRequest,
  examineRequest,
  isRefused,
  kDate,
  kRegion,
  kSecret,
  kService,
  kSigning,
  pathRuleOf,
  presignRequest,
  scopeDateOf,
  signRequest,
  type RequestHead,
  type VerificationPolicy,
} from '@sigv4-keyd/sigv4-core';
import { SignatureV4 } from '@smithy/signature-v4';
import aws4 from 'aws4';
import { median } from './distribution.js';
import { printTable } from './table.js';

const ACCESS_KEY = { accessKeyId: 'AKIABENCHMARKS', secretAccessKey: 'a made-up secret for measuring only!' };
const NOW = Date.parse('2026-11-22T12:00:00Z');
const SCOPE = { region: 'us-east-1', service: 's3' };
const BODY_SHA256 = createHash('sha256').update('body').digest('hex');

const POLICY: VerificationPolicy = {
  ...SCOPE,
  algorithms: new Set(['AWS4-HMAC-SHA256']),
  pathRule: pathRuleOf('s3'),
  clockSkewSeconds: 900,
  presigned: { longestSeconds: 604_800 },
  acceptsDate: () => true,
  acceptsHost: () => true,
  payloadModes: new Set(['exact', 'unsigned', 'body']),
  sessionTokens: 'refused',
  unnormalisedPaths: 'refused',
};

interface Shape {
  readonly name: string;
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly isPresigned?: boolean;
}

const SHAPES: readonly Shape[] = [
  { name: 'GET', method: 'GET', target: '/bucket/some/key.txt', headers: [['Host', 's3.example.com']] },
  {
    name: 'PUT, 8 signed headers',
    method: 'PUT',
    target: '/bucket/some/longer/key/of/an/object.bin',
    headers: [
      ['Host', 's3.example.com'],
      ['Content-Type', 'application/octet-stream'],
      ['Content-MD5', 'CY9rzUYh03PK3k6DJie09g=='],
      ['x-amz-acl', 'private'],
      ['x-amz-meta-one', 'the first'],
      ['x-amz-meta-two', 'the second'],
    ],
  },
  {
    name: 'presigned GET',
    method: 'GET',
    target: '/bucket/key',
    headers: [['Host', 's3.example.com']],
    isPresigned: true,
  },
];

/** Microseconds a verification with the signing key at hand, beside signing again as peers do, and the bare hashes. */
export async function benchVerification(milliseconds: number): Promise<void> {
  const date = scopeDateOf(NOW);
  const key = kSigning(kService(kRegion(kDate(kSecret(ACCESS_KEY.secretAccessKey), date), 'us-east-1'), 's3'));
  const rows: string[][] = [];
  for (const shape of SHAPES) {
    const { head, canonicalRequest, stringToSign } = signed(shape);
    const smithy = new SignatureV4({ ...SCOPE, credentials: ACCESS_KEY, sha256: Sha256, uriEscapePath: false });
    const contenders: Readonly<Record<string, () => unknown>> = {
      'sigv4-core': () => {
        const examined = examineRequest(head, POLICY, NOW);
        if (isRefused(examined) || isRefused(concludeRequest(examined, key)))
          throw new Error('a good request was refused');
      },
      'hash floor': () => {
        createHash('sha256').update(canonicalRequest, 'latin1').digest('hex');
        createHmac('sha256', FLOOR_KEY).update(stringToSign).digest('hex');
      },
      aws4: () =>
        aws4.sign(
          {
            ...SCOPE,
            method: shape.method,
            path: shape.target,
            host: 's3.example.com',
            headers: Object.fromEntries(shape.headers),
            signQuery: shape.isPresigned ?? false,
          },
          ACCESS_KEY,
        ),
      '@smithy/signature-v4': () => {
        const request = {
          method: shape.method,
          protocol: 'https:',
          hostname: 's3.example.com',
          path: shape.target,
          query: {},
          headers: Object.fromEntries(shape.headers),
        };
        return shape.isPresigned ? smithy.presign(request) : smithy.sign(request);
      },
    };
    const times = await interleaved(contenders, milliseconds);
    rows.push([shape.name, ...Object.keys(contenders).map((name) => (times.get(name) ?? Number.NaN).toFixed(1))]);
  }
  printTable(
    'A verification, µs (peers sign again, as their verifiers do)',
    ['', 'sigv4-core', 'hash floor', 'aws4', 'smithy'],
    rows,
  );
}

const FLOOR_KEY = createHash('sha256').update('floor').digest();

function signed(shape: Shape): {
  readonly head: RequestHead;
  readonly canonicalRequest: string;
  readonly stringToSign: string;
} {
  const { method, target, headers } = shape;
  if (shape.isPresigned) {
    const presigned = presignRequest({ method, target, headers }, ACCESS_KEY, {
      ...SCOPE,
      now: NOW,
      expiresSeconds: 3_600,
    });
    return { ...presigned, head: { method, target: presigned.target, rawHeaders: headers.flat() } };
  }
  const payload = { kind: 'exact', sha256: BODY_SHA256 } as const;
  const request = signRequest({ method, target, headers }, ACCESS_KEY, { ...SCOPE, now: NOW, payload });
  return { ...request, head: { method, target, rawHeaders: [...headers, ...request.headers].flat() } };
}

/** Medians in µs of short turns taken in rotation, so that a busy moment of the machine hits all alike. */
async function interleaved(
  contenders: Readonly<Record<string, () => unknown>>,
  milliseconds: number,
): Promise<ReadonlyMap<string, number>> {
  const turns = new Map<string, number[]>();
  const rounds = 20;
  for (let round = -2; round < rounds; round += 1) {
    for (const [name, work] of Object.entries(contenders)) {
      const end = performance.now() + milliseconds / rounds;
      const begin = performance.now();
      let done = 0;
      while (performance.now() < end) {
        for (let batch = 0; batch < 20; batch += 1) await work();
        done += 20;
      }
      const each = ((performance.now() - begin) * 1000) / done;
      if (round >= 0) turns.set(name, [...(turns.get(name) ?? []), each]);
    }
  }
  return new Map([...turns].map(([name, each]) => [name, median(each)]));
}
