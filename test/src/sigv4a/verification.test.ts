import {
  coversRegion,
  ecdsaPrivateKey,
  exportEcdsaPublicKey,
  importKSigning,
  isRefused,
  parseRegionSet,
  presignRequestV4a,
  sha256Hex,
  signRequest,
  signRequestV4a,
  verifyRequest,
  type RequestHead,
  type UnsignedRequest,
  type VerificationPolicy,
} from '@sigv4-keyd/sigv4-core';
import fc from 'fast-check';
import t from 'tap';
import type { Test } from 'tap';
import { arbitraryRequest, type ArbitraryRequest } from '../sigv4-core/arbitrary-request.js';
import { ACCESS_KEY_ID, policyWith, publicKey, SECRET } from '../sigv4-core/policy.js';
import { SHARED_MUTATIONS } from '../sigv4-core/shared-mutations.js';
import {
  addHeader,
  auth,
  BODY,
  BODY_SHA256,
  both,
  doubleHeader,
  dropHeader,
  header,
  headerArrival,
  lastByteChanged,
  later,
  NOW,
  policy,
  presignedArrival,
  query,
  target,
  verify,
  type Arrival,
  type Mutation,
  type Row,
} from '../sigv4-core/signed-requests.js';
import { singleByteChanges } from '../sigv4-core/single-byte-changes.js';
import { mirrored, signWithSdk } from './ecdsa-clients.js';

const CREDENTIALS = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET };
const REGION_SET = ['eu-west-1', 'us-*'];
const ECDSA_ONLY = policyWith({ algorithms: new Set(['AWS4-ECDSA-P256-SHA256']) });
const BOTH_ALGORITHMS = policyWith({ algorithms: new Set(['AWS4-ECDSA-P256-SHA256', 'AWS4-HMAC-SHA256']) });
/** Only these may come after a key was looked up. */
const AFTER_LOOKUP: ReadonlySet<string> = new Set([
  'accepted',
  'signature-mismatch',
  'payload-hash-mismatch',
  'access-key-unknown',
]);

const UNSIGNED: UnsignedRequest = {
  method: 'PUT',
  target: '/photos/a%20b?prefix=x%2Fy&list-type=2&flag',
  headers: [
    ['Host', 'example.amazonaws.com'],
    ['My-Header', 'one'],
    ['My-Header', 'two'],
    ['X-Amz-Meta-A', 'meta'],
  ],
};

function inHeader(regionSet: readonly string[] = REGION_SET): Arrival {
  const payload = { kind: 'exact', sha256: BODY_SHA256 } as const;
  const { headers } = signRequestV4a(UNSIGNED, CREDENTIALS, { now: NOW, service: 'service', regionSet, payload });
  const { method, target } = UNSIGNED;
  const head = { method, target, rawHeaders: [...UNSIGNED.headers, ...headers].flat() };
  return { head, policy: ECDSA_ONLY, now: NOW, body: BODY };
}

function presigned(regionSet: readonly string[] = REGION_SET): Arrival {
  const payload = { kind: 'body', sha256: BODY_SHA256 } as const;
  const options = { now: NOW, service: 'service', regionSet, payload, expiresSeconds: 3600 };
  const { target } = presignRequestV4a(UNSIGNED, CREDENTIALS, options);
  const head = { method: UNSIGNED.method, target, rawHeaders: UNSIGNED.headers.flat() };
  return { head, policy: ECDSA_ONLY, now: NOW, body: BODY };
}

const REGION_SET_ROWS: readonly Row[] = [
  ['region not covered', policy({ region: 'ap-south-1' }), 'region-not-in-set'],
  ['region covered by name', policy({ region: 'eu-west-1' }), 'accepted'],
  ['region covered by the beginning of its name', policy({ region: 'us-gov-west-1' }), 'accepted'],
  ['region that begins like a name of the set', policy({ region: 'eu-west-11' }), 'region-not-in-set'],
  ['algorithm not accepted', policy({ algorithms: new Set(['AWS4-HMAC-SHA256']) }), 'unsupported-algorithm'],
  ['no algorithm accepted', policy({ algorithms: new Set() }), 'unsupported-algorithm'],
  ['both algorithms accepted', policy({ algorithms: BOTH_ALGORITHMS.algorithms }), 'accepted'],
  ['another service', policy({ service: 's3' }), 'wrong-service'],
];

const MODE = 'x-amz-content-sha256';
const REGION_SET_HEADER = 'x-amz-region-set';

const HEADER_ROWS: readonly Row[] = [
  ...REGION_SET_ROWS,
  ['region set dropped', dropHeader(REGION_SET_HEADER), 'missing-region-set'],
  ['region set doubled', doubleHeader(REGION_SET_HEADER), 'duplicate-header'],
  ['region set widened', header(REGION_SET_HEADER, () => '*'), 'signature-mismatch'],
  ['region set unsigned', auth(';x-amz-region-set', ''), 'header-not-signed'],
  ['region set empty', header(REGION_SET_HEADER, () => ''), 'malformed-region-set'],
  ['region set in the query, too', query(/$/, '&X-Amz-Region-Set=us-*'), 'both-mechanisms'],
  [
    'region set in the query alone',
    both(dropHeader(REGION_SET_HEADER), query(/$/, '&X-Amz-Region-Set=us-*')),
    'both-mechanisms',
  ],
  ['scope with a region', auth('/20261122/', '/20261122/us-east-1/'), 'malformed-credential'],
  ['scope without a service', auth('/20261122/service/', '/20261122/'), 'malformed-credential'],
  ['another terminator', auth('aws4_request', 'aws4a_request'), 'wrong-terminator'],
  ['scope of the day before', auth('/20261122/', '/20261121/'), 'scope-date-mismatch'],
  ['a day outside the window', policy({ acceptsDate: () => false }), 'date-outside-window'],
  ['too old', later(901_000), 'request-too-old'],
  ['too early', later(-901_000), 'request-in-future'],
  ['named HMAC', both(auth('AWS4-ECDSA-P256-SHA256', 'AWS4-HMAC-SHA256'), allowBoth), 'malformed-credential'],
  ['algorithm in another case', auth('ECDSA', 'Ecdsa'), 'unsupported-algorithm'],
  ['another access key', auth('AKIDEXAMPLE', 'AKIDEXAMPLF'), 'access-key-unknown'],
  ['signature of 64 digits', auth(/Signature=.*/, `Signature=${'a'.repeat(64)}`), 'malformed-signature'],
  ['signature in upper case', signature((hex) => hex.toUpperCase()), 'malformed-signature'],
  ['signature changed', signature(lastByteChanged), 'signature-mismatch'],
  ['signature mirrored', signature(mirrored), 'accepted'],
  ['signature with a byte after it', signature((hex) => `${hex}00`), 'malformed-signature'],
  ['chunks signed with ECDSA', header(MODE, () => 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD'), 'payload-mode-refused'],
  ['chunks signed with HMAC', header(MODE, () => 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'), 'payload-mode-refused'],
  ['no hash in place of the signed one', header(MODE, () => 'UNSIGNED-PAYLOAD'), 'signature-mismatch'],
];

const PRESIGNED_ROWS: readonly Row[] = [
  ...REGION_SET_ROWS,
  ['region set dropped', query(/&X-Amz-Region-Set=[^&]*/, ''), 'missing-region-set'],
  ['region set doubled', query(/(&X-Amz-Region-Set=[^&]*)/, '$1$1'), 'duplicate-parameter'],
  ['region set doubled in another case', query(/$/, '&x-amz-region-set=us-*'), 'duplicate-parameter'],
  ['region set widened', query(/X-Amz-Region-Set=[^&]*/, 'X-Amz-Region-Set=%2A'), 'signature-mismatch'],
  [
    'region set in the header alone',
    both(query(/&X-Amz-Region-Set=[^&]*/, ''), addHeader(REGION_SET_HEADER, 'us-*')),
    'missing-region-set',
  ],
  ['region set in the header, too, and another', addHeader(REGION_SET_HEADER, '*'), 'header-parameter-conflict'],
  ['region set in the header, too, unsigned', addHeader(REGION_SET_HEADER, 'eu-west-1,us-*'), 'header-not-signed'],
  ['scope of the day before', query('%2F20261122%2F', '%2F20261121%2F'), 'scope-date-mismatch'],
  ['expired', later(3_600_000), 'presigned-expired'],
  ['in the future', later(-901_000), 'presigned-not-yet-valid'],
  ['presigned URLs refused', policy({ presigned: 'refused' }), 'presigned-refused'],
  ['a longer life', query('Expires=3600', 'Expires=7200'), 'signature-mismatch'],
  ['another access key', query('AKIDEXAMPLE', 'AKIDEXAMPLF'), 'access-key-unknown'],
  ['signature changed', target(lastByteChanged), 'signature-mismatch'],
];

// A region set is good for several endpoints, which is what this row denies for HMAC.
const SHARED_ROWS = SHARED_MUTATIONS.filter(([name]) => name !== 'endpoint of another region');

t.test('in the header', (t) => checkRows(t, inHeader(), [...SHARED_ROWS, ...HEADER_ROWS]));
t.test('presigned', (t) => checkRows(t, presigned(), [...SHARED_ROWS, ...PRESIGNED_ROWS]));

t.test('an accepted request says how, where and for which regions it was signed', async (t) => {
  const scope = { date: '20261122', region: 'us-east-1', service: 'service', terminator: 'aws4_request' };
  const expected = { verdict: 'accepted', algorithm: 'AWS4-ECDSA-P256-SHA256', scope, regionSet: REGION_SET };
  t.match((await verify(inHeader())).verdict, { ...expected, mechanism: 'header', payloadSha256: BODY_SHA256 });
  t.match((await verify(presigned())).verdict, { ...expected, mechanism: 'presigned', expiresAt: NOW + 3_600_000 });
  t.notOk('regionSet' in (await verify(headerArrival)).verdict, 'none for HMAC');
});

t.test('no byte of what is signed can be changed', async (t) => {
  for (const arrival of [inHeader(), presigned()]) {
    let changes = 0;
    for (const [what, mutated] of singleByteChanges(arrival)) {
      changes += 1;
      const { verdict } = await verify(mutated);
      if (verdict.verdict === 'accepted') t.fail(`accepted with ${what}`);
    }
    t.ok(changes > 300, `${changes} changes were tried`);
  }
});

// The attack that broke verifiers of other signed formats: the public key, which is no secret, used as an HMAC key.
t.test('a public key verifies no HMAC', async (t) => {
  const known = exportEcdsaPublicKey(publicKey());
  const payload = { kind: 'exact', sha256: BODY_SHA256 } as const;
  for (const bytes of [known.subarray(0, 32), known.subarray(32)]) {
    const forged = signRequest(
      UNSIGNED,
      { accessKeyId: ACCESS_KEY_ID, key: importKSigning(bytes) },
      { now: NOW, region: 'us-east-1', service: 'service', payload },
    );
    const head = {
      method: 'PUT',
      target: UNSIGNED.target,
      rawHeaders: [...UNSIGNED.headers, ...forged.headers].flat(),
    };
    t.match(await verifyWith(head, BOTH_ALGORITHMS), { reason: 'signature-mismatch' });
  }
  t.match(await verifyWith(inHeader().head, BOTH_ALGORITHMS), { verdict: 'accepted' }, 'the right kind');
  t.match(await verifyWith(headerArrival.head, BOTH_ALGORITHMS), { reason: 'signature-mismatch' });
  const kSigning = importKSigning(known.subarray(0, 32));
  const verdict = await verifyRequest(inHeader().head, BOTH_ALGORITHMS, {
    now: NOW,
    lookupKey: () => ({ found: true, key: kSigning }),
  });
  t.match(verdict, { reason: 'signature-mismatch' }, 'nor does a signing key verify ECDSA');
});

t.test('HMAC requests are what they were', async (t) => {
  for (const arrival of [headerArrival, presignedArrival]) {
    t.match((await verify({ ...arrival, policy: BOTH_ALGORITHMS })).verdict, { algorithm: 'AWS4-HMAC-SHA256' });
    t.match((await verify({ ...arrival, policy: ECDSA_ONLY })).verdict, { reason: 'unsupported-algorithm' });
  }
});

t.test('chunks that nobody signs may follow', async (t) => {
  const trailed: UnsignedRequest = {
    ...UNSIGNED,
    headers: [
      ...UNSIGNED.headers,
      ['content-encoding', 'aws-chunked'],
      ['x-amz-decoded-content-length', '8'],
      ['x-amz-trailer', 'x-amz-checksum-crc32'],
    ],
  };
  const payload = { kind: 'streaming-unsigned-trailer' } as const;
  const options = { now: NOW, service: 'service', regionSet: REGION_SET, payload };
  const { headers } = signRequestV4a(trailed, CREDENTIALS, options);
  const head = { method: 'PUT', target: UNSIGNED.target, rawHeaders: [...trailed.headers, ...headers].flat() };
  t.match(await verifyWith(head, ECDSA_ONLY), { verdict: 'accepted', payload: { kind: 'streaming-unsigned-trailer' } });
});

t.test('region sets', (t) => {
  const rows: readonly (readonly [set: string, region: string, covered: boolean | 'malformed'])[] = [
    ['us-east-1', 'us-east-1', true],
    ['us-east-1', 'us-east-2', false],
    ['us-east-1,eu-west-1', 'eu-west-1', true],
    ['us-east-1, eu-west-1', 'eu-west-1', true],
    ['*', 'eu-west-1', true],
    ['eu-*', 'eu-west-1', true],
    ['eu*', 'eu-west-1', true],
    ['eu-*', 'europe-1', false],
    ['us-*,*', 'eu-west-1', true],
    ['', 'eu-west-1', 'malformed'],
    [',', 'eu-west-1', 'malformed'],
    ['eu-west-1,', 'eu-west-1', 'malformed'],
    ['*-1', 'eu-west-1', 'malformed'],
    ['eu-*-1', 'eu-west-1', 'malformed'],
    ['**', 'eu-west-1', 'malformed'],
    ['eu-west-?', 'eu-west-1', 'malformed'],
    ['EU-WEST-1', 'eu-west-1', 'malformed'],
    ['eu west-1', 'eu-west-1', 'malformed'],
    ['eu-west-1;us-east-1', 'eu-west-1', 'malformed'],
    ['eu-west-1\nus-east-1', 'eu-west-1', 'malformed'],
    ['-eu', 'eu-west-1', 'malformed'],
    [Array(100).fill('eu-west-1').join(','), 'eu-west-1', true],
    [Array(101).fill('eu-west-1').join(','), 'eu-west-1', 'malformed'],
    [`${'a'.repeat(64)}*`, 'a', 'malformed'],
    [','.repeat(1_000_000), 'eu-west-1', 'malformed'],
  ];
  for (const [text, region, expected] of rows) {
    const set = parseRegionSet(text);
    t.equal(isRefused(set) ? 'malformed' : coversRegion(set, region), expected, `${text.slice(0, 40)} for ${region}`);
  }
  t.end();
});

t.test('what no verifier would accept is not signed', (t) => {
  const payload = { kind: 'unsigned' } as const;
  const options = { now: NOW, service: 'service', regionSet: ['*'], payload };
  const sign =
    (changes: Partial<typeof options>, request = UNSIGNED) =>
    () =>
      signRequestV4a(request, CREDENTIALS, { ...options, ...changes });
  t.throws(sign({ regionSet: [] }), { name: 'RangeError', message: /region set is malformed/ });
  t.throws(sign({ regionSet: ['*-1'] }), { name: 'RangeError' });
  t.throws(sign({ service: 'S3' }), { name: 'RangeError' });
  const withSet: UnsignedRequest = { ...UNSIGNED, headers: [...UNSIGNED.headers, ['X-Amz-Region-Set', '*']] };
  t.throws(sign({}, withSet), { name: 'TypeError', message: /remove the header x-amz-region-set/ });
  const key = ecdsaPrivateKey(SECRET, ACCESS_KEY_ID);
  t.ok(
    signRequestV4a(UNSIGNED, { accessKeyId: ACCESS_KEY_ID, key }, options).headers.length > 0,
    'a derived key signs',
  );
  t.end();
});

for (const service of ['s3', 'dynamodb']) {
  t.test(`what the JavaScript SDK signs, ${service}`, async (t) => {
    const limits = { slashInSegments: true, repeatedParameters: true, emptyParameterNames: true };
    const sets = fc.constantFrom('*', 'us-east-1', 'eu-west-1,us-*');
    const pathRule = service === 's3' ? 's3' : 'standard';
    const accepting = { ...ECDSA_ONLY, service, pathRule } as const;
    const property = fc.asyncProperty(asciiSecrets(arbitraryRequest(limits)), sets, async (request, regionSet) => {
      const signed = await signWithSdk(request, { service, regionSet });
      const head = {
        method: request.method,
        target: latin1(signed.target),
        rawHeaders: signed.headers.flatMap(([name, value]) => [latin1(name), latin1(value)]),
      };
      const verdict = await verifyRequest(head, accepting, {
        now: request.now,
        lookupKey: () => ({ found: true, key: publicKey(request.secretAccessKey) }),
        bodySha256: () => Promise.resolve(sha256Hex(Buffer.from(request.body))),
      });
      if (verdict.verdict === 'refused') throw new Error(`refused: ${verdict.reason} ${verdict.detail ?? ''}`);
    });
    await t.resolves(fc.assert(property, { numRuns: 40 }));
  });
}

async function checkRows(t: Test, arrival: Arrival, rows: readonly Row[]): Promise<void> {
  for (const [name, mutation, expected] of rows) {
    const { verdict, lookups } = await verify(mutation(arrival));
    t.equal(verdict.verdict === 'accepted' ? 'accepted' : verdict.reason, expected, name);
    t.equal(lookups, AFTER_LOOKUP.has(expected) ? 1 : 0, `${name}: keys looked up`);
  }
}

function verifyWith(head: RequestHead, accepting: VerificationPolicy): ReturnType<typeof verifyRequest> {
  return verifyRequest(head, accepting, { now: NOW, lookupKey: () => ({ found: true, key: publicKey() }) });
}

function allowBoth(arrival: Arrival): Arrival {
  return { ...arrival, policy: BOTH_ALGORITHMS };
}

/** Changes the signature in the Authorization header. */
function signature(change: (hex: string) => string): Mutation {
  return header('authorization', (value) => value.replace(/[0-9a-f]{100,}/, change));
}

/** The SDK takes the low bytes of a secret's UTF-16 units, where all others take UTF-8: they agree on ASCII. */
function asciiSecrets(requests: fc.Arbitrary<ArbitraryRequest>): fc.Arbitrary<ArbitraryRequest> {
  return requests.map((request) => ({
    ...request,
    secretAccessKey: Buffer.from(request.secretAccessKey).toString('base64'),
  }));
}

function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
