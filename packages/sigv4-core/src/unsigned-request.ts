import { readHeaders } from './header-table.js';
import type { HeaderTable } from './header-table.js';
import { parseQueryParameters } from './query-parameters.js';
import type { QueryParameters } from './query-parameters.js';
import { isRefused, REFUSALS } from './refusal.js';
import type { Refused } from './refusal.js';
import { isToken } from './request-head.js';
import { parseRequestTarget } from './request-target.js';
import type { RequestTarget } from './request-target.js';

/** A request to sign. The strings are text: they are signed as their UTF-8 bytes, and have to be sent as these. */
export interface UnsignedRequest {
  readonly method: string;
  /** Origin-form, percent-encoded as it will be sent. */
  readonly target: string;
  /** All but the ones that signing adds; `host` among them. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** The request in the form that verifiers read it; strings are latin1. */
export interface ReadRequest {
  readonly method: string;
  readonly target: RequestTarget;
  readonly query: QueryParameters;
  readonly headers: HeaderTable;
}

const SET_BY_SIGNING = [
  'authorization',
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-region-set',
  'x-amz-security-token',
] as const;

/** Throws TypeError for a request that no verifier would accept, or that is signed already. */
export function readUnsigned(request: UnsignedRequest): ReadRequest {
  if (!isToken(request.method)) throw new TypeError(`cannot sign: ${REFUSALS['malformed-method']}`);
  const target = orThrow(parseRequestTarget(latin1(request.target)));
  const query = orThrow(parseQueryParameters(target.query));
  const headers = orThrow(readHeaders(request.headers.flatMap(([name, value]) => [latin1(name), latin1(value)])));
  if (!headers.has('host')) throw new TypeError('cannot sign: add the host header');
  for (const name of SET_BY_SIGNING) {
    if (headers.has(name)) throw new TypeError(`cannot sign: remove the header ${name}, signing sets it`);
  }
  for (const name of query.amz.keys()) {
    if (SET_IN_QUERY.has(name)) throw new TypeError(`cannot sign: remove the parameter ${name}, presigning sets it`);
  }
  return { method: request.method, target, query, headers };
}

/** One character for each UTF-8 byte of the text. */
export function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

const SET_IN_QUERY: ReadonlySet<string> = new Set([
  'x-amz-algorithm',
  'x-amz-content-sha256',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-expires',
  'x-amz-region-set',
  'x-amz-security-token',
  'x-amz-signature',
  'x-amz-signedheaders',
]);

function orThrow<T extends object>(outcome: T | Refused): T {
  if (!isRefused(outcome)) return outcome;
  const { reason, detail } = outcome;
  throw new TypeError(`cannot sign: ${REFUSALS[reason]}${detail === undefined ? '' : ` (${detail})`}`);
}
