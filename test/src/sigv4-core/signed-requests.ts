import { presignRequest, sha256Hex, signRequest, verifyRequest } from '@sigv4-keyd/sigv4-core';
import type {
  Accepted,
  RefusalReason,
  Refused,
  RequestHead,
  UnsignedRequest,
  VerificationPolicy,
} from '@sigv4-keyd/sigv4-core';
import { ACCESS_KEY_ID, policyWith, publicKey, SECRET, signingKey } from './policy.js';

export const NOW = Date.UTC(2026, 10, 22, 12, 0, 0);
export const BODY = 'the body';
export const BODY_SHA256 = sha256Hex(Buffer.from(BODY));

/** A request on its way, and the circumstances that it arrives in; a mutation changes one thing of it. */
export interface Arrival {
  readonly head: RequestHead;
  readonly policy: VerificationPolicy;
  readonly now: number;
  readonly body: string;
}

export type Mutation = (arrival: Arrival) => Arrival;

export type Row = readonly [name: string, mutation: Mutation, expected: RefusalReason | 'accepted'];

export interface Outcome {
  readonly verdict: Accepted | Refused;
  readonly lookups: number;
  readonly bodiesHashed: number;
}

const CREDENTIALS = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET };
const SCOPE = { now: NOW, region: 'us-east-1', service: 'service' };

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

/** Signed in the Authorization header, stating the hash of its body. */
export const headerArrival: Arrival = {
  head: headOf(
    UNSIGNED,
    signRequest(UNSIGNED, CREDENTIALS, { ...SCOPE, payload: { kind: 'exact', sha256: BODY_SHA256 } }).headers,
  ),
  policy: policyWith(),
  now: NOW,
  body: BODY,
};

/** The same, presigned for an hour; the body's hash is signed but not stated. */
export const presignedArrival: Arrival = {
  head: headOf({
    ...UNSIGNED,
    target: presignRequest(UNSIGNED, CREDENTIALS, {
      ...SCOPE,
      payload: { kind: 'body', sha256: BODY_SHA256 },
      expiresSeconds: 3600,
    }).target,
  }),
  policy: policyWith(),
  now: NOW,
  body: BODY,
};

export async function verify({ head, policy, now, body }: Arrival): Promise<Outcome> {
  let lookups = 0;
  let bodiesHashed = 0;
  const verdict = await verifyRequest(head, policy, {
    now,
    lookupKey: (accessKeyId, scope, algorithm) => {
      lookups += 1;
      if (accessKeyId !== ACCESS_KEY_ID) return { found: false, reason: 'access-key-unknown' };
      return { found: true, key: algorithm === 'AWS4-HMAC-SHA256' ? signingKey(scope) : publicKey() };
    },
    bodySha256: () => {
      bodiesHashed += 1;
      return Promise.resolve(sha256Hex(Buffer.from(body)));
    },
  });
  return { verdict, lookups, bodiesHashed };
}

export function both(...mutations: readonly Mutation[]): Mutation {
  return (arrival) => mutations.reduce((changed, mutation) => mutation(changed), arrival);
}

/** Replaces in the Authorization header. */
export function auth(from: string | RegExp, to: string): Mutation {
  return header('authorization', (value) => value.replace(from, to));
}

/** Replaces in the target, which ends with the query. */
export function query(from: string | RegExp, to: string): Mutation {
  return target((value) => value.replace(from, to));
}

/** The signature ends both the Authorization header and the presigned target. */
export function lastByteChanged(text: string): string {
  return text.slice(0, -1) + (text.endsWith('0') ? '1' : '0');
}

export function target(change: (target: string) => string): Mutation {
  return (arrival) => withHead(arrival, { target: change(arrival.head.target) });
}

export function method(value: string): Mutation {
  return (arrival) => withHead(arrival, { method: value });
}

/** Changes the values of one header. */
export function header(name: string, change: (value: string) => string): Mutation {
  return headers((pairs) => pairs.map(([key, value]) => [key, sameName(key, name) ? change(value) : value]));
}

export function dropHeader(name: string): Mutation {
  return headers((pairs) => pairs.filter(([key]) => !sameName(key, name)));
}

export function addHeader(name: string, value: string): Mutation {
  return headers((pairs) => [...pairs, [name, value]]);
}

export function doubleHeader(name: string): Mutation {
  return headers((pairs) => [...pairs, ...pairs.filter(([key]) => sameName(key, name))]);
}

export function headers(change: (pairs: readonly Pair[]) => readonly Pair[]): Mutation {
  return (arrival) => withHead(arrival, { rawHeaders: change(pairsOf(arrival.head)).flat() });
}

export function rawHeaders(change: (raw: readonly string[]) => readonly string[]): Mutation {
  return (arrival) => withHead(arrival, { rawHeaders: change(arrival.head.rawHeaders) });
}

export function policy(changes: Partial<VerificationPolicy>): Mutation {
  return (arrival) => ({ ...arrival, policy: { ...arrival.policy, ...changes } });
}

/** Moves the clock of the verifier by milliseconds. */
export function later(ms: number): Mutation {
  return (arrival) => ({ ...arrival, now: arrival.now + ms });
}

export function body(value: string): Mutation {
  return (arrival) => ({ ...arrival, body: value });
}

export type Pair = readonly [name: string, value: string];

export function pairsOf({ rawHeaders }: RequestHead): readonly Pair[] {
  const pairs: Pair[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) pairs.push([rawHeaders[at]!, rawHeaders[at + 1]!]);
  return pairs;
}

function withHead(arrival: Arrival, changes: Partial<RequestHead>): Arrival {
  return { ...arrival, head: { ...arrival.head, ...changes } };
}

function headOf(request: UnsignedRequest, added: readonly Pair[] = []): RequestHead {
  return { method: request.method, target: request.target, rawHeaders: [...request.headers, ...added].flat() };
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
