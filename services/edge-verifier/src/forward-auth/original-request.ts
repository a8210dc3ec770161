import type { Refusal } from '@sigv4-keyd/sigv4-answers';
import type { RequestHead } from '@sigv4-keyd/sigv4-core';
import { headerPairs } from '../proxy/hop-by-hop.js';

/** The request that a front asks about. */
export interface OriginalRequest {
  readonly head: RequestHead;
  readonly hasBody: boolean;
}

/** How fronts tell of the original request: nginx as configured (X-Original-*), Traefik and Caddy by themselves. */
const FAMILIES = [
  { method: 'x-original-method', target: 'x-original-uri' },
  { method: 'x-forwarded-method', target: 'x-forwarded-uri' },
] as const;

const FORWARDED_HOST = 'x-forwarded-host';
const LENGTH = 'x-original-content-length';
const ENCODING = 'x-original-transfer-encoding';
const SET_BY_FRONTS = new Set<string>([
  ...FAMILIES.flatMap(({ method, target }) => [method, target]),
  FORWARDED_HOST,
  LENGTH,
  ENCODING,
]);

/**
 * The original request as the front's headers tell it. Two families that differ name two requests, one of which a
 * client may have written: neither is believed. The body stays with the front, which tells its length at most.
 */
export function originalRequest(rawHeaders: readonly string[]): OriginalRequest | Refusal {
  const told = new Map<string, string>();
  for (const [rawName, value] of headerPairs(rawHeaders)) {
    const name = rawName.toLowerCase();
    if (!SET_BY_FRONTS.has(name)) continue;
    if (told.has(name)) return { reason: 'ambiguous-original-request', detail: `${name} came twice` };
    told.set(name, value);
  }
  const families = FAMILIES.filter((family) => told.has(family.method) || told.has(family.target));
  const [first, second] = families.map((names) => ({ method: told.get(names.method), target: told.get(names.target) }));
  if (first?.method === undefined || first.target === undefined) return { reason: 'missing-original-request' };
  if (second && (second.method !== first.method || second.target !== first.target)) {
    return { reason: 'ambiguous-original-request', detail: 'X-Original-* and X-Forwarded-* differ' };
  }
  const host = families.some(({ target }) => target === 'x-forwarded-uri') ? told.get(FORWARDED_HOST) : undefined;
  if (second && host !== undefined && host !== headerOf(rawHeaders, 'host')) {
    return { reason: 'ambiguous-original-request', detail: 'Host and X-Forwarded-Host differ' };
  }
  const length = told.get(LENGTH) ?? '';
  return {
    head: { method: first.method, target: first.target, rawHeaders: originalHeaders(rawHeaders, { host, length }) },
    hasBody: (length !== '' && Number(length) !== 0) || (told.get(ENCODING) ?? '') !== '' || carriesBody(rawHeaders),
  };
}

/** The client's headers: the subrequest's, with the host and length that the client wrote. */
function originalHeaders(
  rawHeaders: readonly string[],
  { host, length }: { readonly host: string | undefined; readonly length: string },
): readonly string[] {
  const headers: string[] = [];
  for (const [rawName, value] of headerPairs(rawHeaders)) {
    const name = rawName.toLowerCase();
    if (SET_BY_FRONTS.has(name) || (name === 'content-length' && length !== '')) continue;
    headers.push(rawName, name === 'host' && host !== undefined ? host : value);
  }
  return length === '' ? headers : [...headers, 'content-length', length];
}

function carriesBody(rawHeaders: readonly string[]): boolean {
  const length = headerOf(rawHeaders, 'content-length');
  return headerOf(rawHeaders, 'transfer-encoding') !== undefined || (length !== undefined && Number(length) !== 0);
}

function headerOf(rawHeaders: readonly string[], wanted: string): string | undefined {
  for (const [name, value] of headerPairs(rawHeaders)) if (name.toLowerCase() === wanted) return value;
  return undefined;
}
