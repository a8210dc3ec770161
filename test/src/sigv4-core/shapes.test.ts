import {
  concludeRequest,
  examineRequest,
  isRefused,
  presignRequest,
  reference,
  signRequest,
} from '@sigv4-keyd/sigv4-core';
import type { RequestHead, SigningPayload, UnsignedRequest, VerificationPolicy } from '@sigv4-keyd/sigv4-core';
import t from 'tap';
import { signedAnew } from '../fuzz/targets/second-signer.js';
import { readBothWays } from './both-ways.js';
import type { ReadBothWays } from './both-ways.js';
import { HEADER_MUTATIONS } from './header-mutations.js';
import { ACCESS_KEY_ID, policyWith, SECRET, signingKey } from './policy.js';
import { PRESIGNED_MUTATIONS } from './presigned-mutations.js';
import { SHARED_MUTATIONS } from './shared-mutations.js';
import { BODY, BODY_SHA256, headerArrival, lastByteChanged, NOW, presignedArrival, target } from './signed-requests.js';
import type { Arrival } from './signed-requests.js';
import { singleByteChanges } from './single-byte-changes.js';

const CREDENTIALS = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET };
const TOKEN = { ...CREDENTIALS, sessionToken: 'a+b/c==' };
const HASHED = { kind: 'exact', sha256: BODY_SHA256 } as const;
const SCOPE = { region: 'us-east-1', now: NOW, expiresSeconds: 3600 };
const HOST = ['Host', 'example.amazonaws.com'] as const;
const META = [
  ['Content-Type', 'text/plain; a="b c"'],
  ['X-Amz-Meta-A', 'one'],
  ['Accept', '*/*'],
] as const;

/** Requests whose shapes are learnt, as clients send them. */
const KNOWN: Readonly<Record<string, Arrival>> = {
  'GET, s3': signed('s3', { method: 'GET', target: '/photos/a.txt', headers: [HOST] }, HASHED),
  'GET, standard': signed('service', { method: 'GET', target: '/', headers: [HOST] }, { ...HASHED, kind: 'body' }),
  'PUT, standard': signed('service', { method: 'PUT', target: '/photos/a%20b', headers: [HOST, ...META] }, HASHED),
  'list, s3': signed('s3', { method: 'GET', target: '/a?prefix=x%2Fy&list-type=2&flag', headers: [HOST] }, HASHED),
  'a session': signed('s3', { method: 'PUT', target: '/photos/a+b', headers: [...META, HOST] }, HASHED, TOKEN),
  'unsigned payload': signed('s3', { method: 'PUT', target: '/a', headers: [HOST] }, { kind: 'unsigned' }),
  'as SDKs send it': withUnsigned(
    signed(
      's3',
      { method: 'GET', target: '/photos/a.txt', headers: [HOST, ['X-Amz-User-Agent', 'sdk/1 a/2']] },
      HASHED,
    ),
    ['User-Agent', 'sdk/1 (a; b) c/2', 'Accept-Encoding', 'br, gzip', 'Connection', 'keep-alive'],
  ),
  'presigned, s3': presigned('s3', { method: 'GET', target: '/photos/a.txt', headers: [HOST] }),
  'presigned, standard': presigned('service', { method: 'GET', target: '/a/b', headers: [HOST, ...META] }),
  'presigned session': presigned('s3', { method: 'GET', target: '/photos/a%20b?x-id=Get', headers: [HOST] }, TOKEN),
  'presigned, sorted': sorted(presigned('s3', { method: 'GET', target: '/photos/a.txt', headers: [HOST] })),
};

const MALFORMED_HEADER = { verdict: { reason: 'malformed-header' } };

/** The changes of the tables are of these, whose repeated header has no shape that is learnt. */
const UNKNOWN: Readonly<Record<string, Arrival>> = { headerArrival, presignedArrival };

for (const [name, arrival] of Object.entries({ ...KNOWN, ...UNKNOWN })) {
  t.test(`${name}: changed in any way, it is read as the reference reads it`, (t) => {
    learn(arrival);
    const isKnown = name in KNOWN;
    t.equal(read(arrival).isShaped, isKnown, isKnown ? 'the shape is known' : 'no shape');
    const changes = [
      ...[...SHARED_MUTATIONS, ...HEADER_MUTATIONS, ...PRESIGNED_MUTATIONS].map(([what, change]) => {
        return [what, change(arrival)] as const;
      }),
      ...singleByteChanges(arrival),
    ];
    let accepted = 0;
    let shaped = 0;
    for (const [what, changed] of changes) {
      for (const one of [changed, anew(changed)]) {
        if (one === undefined) continue;
        try {
          const { verdict, isShaped } = read(one);
          if (isShaped && verdict.verdict === 'accepted') accepted += 1;
          if (isShaped) shaped += 1;
        } catch (error) {
          t.fail(what, { error });
        }
      }
    }
    // Else nothing was compared.
    t.equal(shaped > 30 && accepted > 10, isKnown, `${shaped} had the shape, ${accepted} of them were accepted`);
    t.end();
  });
}

t.test('each character and each triplet, of a value that any may stand for, is read as the reference reads it', (t) => {
  const policy = policyWith({ service: 's3', pathRule: 's3' });
  const at = (value: string): Arrival =>
    fresh(presigned('s3', { method: 'GET', target: `/a?x-id=${value}`, headers: [HOST] }, TOKEN), policy);
  learn(at('a'));
  const isUnreserved = (byte: number): boolean => /[A-Za-z0-9._~-]/.test(String.fromCharCode(byte));
  for (let byte = 0; byte < 256; byte += 1) {
    const triplet = `%${byte.toString(16).padStart(2, '0')}`;
    const character = String.fromCharCode(byte);
    const raw = /[!-~]/.test(character) && !'%#&'.includes(character) ? [character] : [];
    for (const value of [triplet, triplet.toUpperCase(), ...raw]) {
      const { verdict, isShaped } = read(at(`a${value}b`));
      t.equal(verdict.verdict, 'accepted', value);
      const isTriplet = value.length > 1;
      const isCanonical = isTriplet ? value === value.toUpperCase() && !isUnreserved(byte) : isUnreserved(byte);
      t.equal(isShaped, isCanonical, `${value} is its own canonical form, or not`);
    }
  }
  t.end();
});

t.test('of a header that is alike in most requests, another value is looked at as the first one was', (t) => {
  const at = (value: string, agent: string, policy: VerificationPolicy): Arrival => {
    const headers = [HOST, ['Content-Type', value]] as const;
    const arrival = signed('service', { method: 'GET', target: '/a', headers }, HASHED);
    return fresh(withUnsigned(arrival, ['User-Agent', agent]), policy);
  };
  const policy = policyWith();
  learn(at('text/plain', 'sdk/1', policy));
  const read1 = (value: string, agent: string): ReadBothWays => read(at(value, agent, policy));
  for (const good of ['text/html', 'text/plain', '', 'a b']) {
    t.match(read1(good, 'sdk/2 a'), { verdict: { verdict: 'accepted' }, isShaped: true }, good);
  }
  for (const other of [' a', 'a ', 'a  b', 'a\tb', 'é']) {
    t.match(read1('text/plain', other), { verdict: { verdict: 'accepted' }, isShaped: false }, other);
    t.match(read1(other, 'sdk/1'), { isShaped: false }, other);
  }
  for (const bad of ['a\nb', 'a\0', '\x7f', '\u0141']) {
    const { head } = at('text/plain', 'sdk/1', policy);
    for (const [known, name] of [
      ['sdk/1', 'an unsigned one'],
      ['text/plain', 'a signed one'],
    ] as const) {
      const rawHeaders = head.rawHeaders.map((text) => (text === known ? bad : text));
      t.match(read({ head: { ...head, rawHeaders }, policy, now: NOW, body: BODY }), MALFORMED_HEADER, name);
    }
  }
  t.end();
});

t.test('days and instants that come in turn are each their own', (t) => {
  const policy = policyWith();
  const instants = [0, 1, 60, 61, 3_600, 43_199, 43_200, 86_399, 86_400].map((seconds) => NOW - 1000 * seconds);
  const arrivals = instants.map((at) => {
    const arrival = signed('service', { method: 'GET', target: '/a', headers: [HOST] }, HASHED, CREDENTIALS, at);
    return { ...arrival, policy, now: at };
  });
  for (const arrival of arrivals) learn(arrival);
  for (const one of arrivals) {
    for (const other of arrivals) {
      t.match(read(one), { verdict: { verdict: 'accepted', signedAt: one.now }, isShaped: true });
      // The time, or the credential, of another request.
      for (const name of ['x-amz-date', 'authorization']) {
        const mixed = { ...one, head: { ...one.head, rawHeaders: withValueOf(name, other, one) } };
        t.equal(read(mixed).verdict.verdict, one === other ? 'accepted' : 'refused', name);
      }
    }
  }
  t.end();
});

t.test('what the policy says counts for every request, of a known shape too', (t) => {
  const changes: readonly Partial<VerificationPolicy>[] = [
    { acceptsDate: () => false },
    { acceptsHost: () => false },
    { algorithms: new Set() },
    { clockSkewSeconds: -1 },
    { describesMismatch: true },
    { pathRule: 'standard' },
    { payloadModes: new Set() },
    { presigned: 'refused' },
    { presigned: { longestSeconds: 1 } },
    { sessionTokens: 'refused' },
  ];
  for (const known of [KNOWN['a session'], KNOWN['presigned session']]) {
    let refused = 0;
    for (const change of changes) {
      const arrival = fresh(known ?? headerArrival);
      learn(arrival);
      t.equal(read(arrival).isShaped, true);
      // Nobody does so, but where a function decides, it may say another thing at any time.
      Object.assign(arrival.policy, change);
      if (isRefused(read(arrival).verdict)) refused += 1;
    }
    t.ok(refused >= 6, `${refused} of the changes refuse`);
  }
  t.end();
});

t.test('what has no key teaches nothing', (t) => {
  const arrival = fresh(KNOWN['presigned, s3'] ?? presignedArrival);
  const forged = target(lastByteChanged)(arrival);
  for (let time = 0; time < 3; time += 1) {
    t.match(read(forged), { verdict: { reason: 'signature-mismatch' }, isShaped: false });
  }
  t.match(read(arrival), { verdict: { verdict: 'accepted' }, isShaped: false }, 'the shape was not known');
  t.match(read(forged), { verdict: { reason: 'signature-mismatch' }, isShaped: true }, 'by now it is');
  t.end();
});

t.test('what a policy accepted says nothing to another', (t) => {
  const arrival = fresh(KNOWN['GET, s3'] ?? headerArrival);
  learn(arrival);
  t.equal(read(arrival).isShaped, true);
  t.equal(read(fresh(arrival)).isShaped, false);
  t.end();
});

t.test('what was examined is what is concluded, whatever becomes of the request meanwhile', (t) => {
  for (const known of [KNOWN['PUT, standard'], KNOWN['presigned, standard']]) {
    const arrival = fresh(known ?? headerArrival);
    learn(arrival);
    const rawHeaders = [...arrival.head.rawHeaders];
    const examined = examineRequest({ ...arrival.head, rawHeaders }, arrival.policy, NOW);
    if (isRefused(examined)) throw new Error(examined.reason);
    rawHeaders.fill('changed');
    t.equal(examined.request.headers.get('x-amz-meta-a'), 'one');
    t.match(concludeRequest(examined, signingKey(examined.scope), BODY_SHA256), { verdict: 'accepted' });
  }
  t.end();
});

t.test('what is remembered is bounded: the newest shapes of a list of names', (t) => {
  const arrival = fresh(KNOWN['presigned, s3'] ?? presignedArrival);
  const others = Array.from({ length: 40 }, (_, n) =>
    fresh(presigned('s3', { method: 'GET', target: `/a?n${n}=1`, headers: [HOST] }), arrival.policy),
  );
  learn(arrival);
  for (const other of others) learn(other);
  const known = others.filter((other) => read(other, 'examined only').isShaped).length;
  t.ok(known > 0 && known < 20, `${known} of ${others.length} are known`);
  t.end();
});

function read({ head, policy, now }: Arrival, depth: 'examined only' | 'concluded' = 'concluded'): ReadBothWays {
  const keyOf = ({ scope }: { readonly scope: Parameters<typeof signingKey>[0] }): ReturnType<typeof signingKey> =>
    signingKey(scope, depth === 'concluded' ? SECRET : 'of nobody');
  return readBothWays(head, { policy, now, keyOf, bodySha256: BODY_SHA256 });
}

function learn(arrival: Arrival): void {
  const { verdict } = read(arrival);
  if (isRefused(verdict)) throw new Error(`refused: ${verdict.reason} ${verdict.detail ?? ''}`);
}

/** The same under a policy that knows no shape yet. */
function fresh(arrival: Arrival, policy: VerificationPolicy = { ...arrival.policy }): Arrival {
  return { ...arrival, policy };
}

/** With a signature that is good for what the request has become. */
function anew({ head, policy, now, ...rest }: Arrival): Arrival | undefined {
  const examined = reference.examineRequest(head, policy, now);
  if (isRefused(examined) || examined.algorithm !== 'AWS4-HMAC-SHA256') return undefined;
  return { ...rest, head: signedAnew(head, examined, policy), policy, now };
}

function signed(
  service: string,
  request: UnsignedRequest,
  payload: SigningPayload,
  credentials: typeof CREDENTIALS = CREDENTIALS,
  now = NOW,
): Arrival {
  const { headers } = signRequest(request, credentials, { ...SCOPE, now, service, payload });
  return arrivalOf(service, { ...request, rawHeaders: [...request.headers, ...headers].flat() });
}

function presigned(service: string, request: UnsignedRequest, credentials: typeof CREDENTIALS = CREDENTIALS): Arrival {
  const payload = service === 's3' ? {} : { payload: { kind: 'body', sha256: BODY_SHA256 } as const };
  const { target } = presignRequest(request, credentials, { ...SCOPE, service, ...payload });
  return arrivalOf(service, { ...request, target, rawHeaders: request.headers.flat() });
}

function withUnsigned(arrival: Arrival, headers: readonly string[]): Arrival {
  return { ...arrival, head: { ...arrival.head, rawHeaders: [...arrival.head.rawHeaders, ...headers] } };
}

/** The raw headers of `to`, with the value that a header has in `from`. */
function withValueOf(name: string, from: Arrival, to: Arrival): readonly string[] {
  const at = to.head.rawHeaders.findIndex((text) => text.toLowerCase() === name) + 1;
  return to.head.rawHeaders.with(at, from.head.rawHeaders[at] ?? '');
}

/** As most SDKs write it. */
function sorted(arrival: Arrival): Arrival {
  const [path = '', query = ''] = arrival.head.target.split('?');
  return { ...arrival, head: { ...arrival.head, target: `${path}?${query.split('&').sort().join('&')}` } };
}

function arrivalOf(service: string, { method, target, rawHeaders }: RequestHead): Arrival {
  const policy = policyWith({ service, pathRule: service === 's3' ? 's3' : 'standard' });
  return { head: { method, target, rawHeaders }, policy, now: NOW, body: BODY };
}
