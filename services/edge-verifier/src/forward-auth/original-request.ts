import type { Refusal } from '@sigv4-keyd/sigv4-answers';
import type { RequestHead } from '@sigv4-keyd/sigv4-core';
import { isIdentityHeader } from '../identity-headers.js';
import { headerPairs } from '../proxy/hop-by-hop.js';

/**
 * Where a front tells of the original request; configured, so that nothing else that a client may send is believed.
 * - `x-original`: X-Original-Method, X-Original-URI, and what it knows of the body (nginx, HAProxy as configured)
 * - `x-forwarded`: X-Forwarded-Method, X-Forwarded-Uri, X-Forwarded-Host (Traefik, Caddy)
 * - `request-line`: it asks with the original method, target and host (Envoy)
 */
export const ORIGINS = ['x-original', 'x-forwarded', 'request-line'] as const;
export type Origin = (typeof ORIGINS)[number];

/** The request that a front asks about. */
export interface OriginalRequest {
  readonly head: RequestHead;
  /** As far as the front tells: some cannot. */
  readonly hasBody: boolean;
}

interface Telling {
  readonly method: string;
  readonly target: string;
  readonly host?: string;
  readonly length?: string;
  readonly encoding?: string;
}

/** By which headers a front tells, lower-case. */
export const TELLINGS: Readonly<Record<Exclude<Origin, 'request-line'>, Telling>> = {
  'x-original': {
    method: 'x-original-method',
    target: 'x-original-uri',
    length: 'x-original-content-length',
    encoding: 'x-original-transfer-encoding',
  },
  'x-forwarded': { method: 'x-forwarded-method', target: 'x-forwarded-uri', host: 'x-forwarded-host' },
};

/** The question as it came: `head` is its own. */
export function originalRequest(head: RequestHead, origin: Origin): OriginalRequest | Refusal {
  const reserved = head.rawHeaders.find((name, at) => at % 2 === 0 && isIdentityHeader(name));
  // The front sets those that we answer; a client's copy of any other, in any spelling, would reach the application.
  if (reserved !== undefined) return { reason: 'reserved-header', detail: reserved };
  if (origin === 'request-line') return { head, hasBody: carriesBody(head.rawHeaders) };
  return toldRequest(head.rawHeaders, TELLINGS[origin]);
}

function toldRequest(rawHeaders: readonly string[], telling: Telling): OriginalRequest | Refusal {
  const names = new Set<string>(Object.values(telling));
  const told = new Map<string, string>();
  for (const [rawName, value] of headerPairs(rawHeaders)) {
    const name = rawName.toLowerCase();
    if (!names.has(name)) continue;
    // A front overwrites what it speaks through: one of the two is the client's.
    if (told.has(name)) return { reason: 'ambiguous-original-request', detail: `${name} came twice` };
    told.set(name, value);
  }
  const read = (name: string | undefined): string | undefined => (name === undefined ? undefined : told.get(name));
  const missing = [telling.method, telling.target, telling.host].find(
    (name) => name !== undefined && told.get(name) === undefined,
  );
  const [method, target] = [read(telling.method), read(telling.target)];
  if (method === undefined || target === undefined || missing !== undefined) {
    return { reason: 'missing-original-request', ...(missing !== undefined && { detail: missing }) };
  }
  const length = read(telling.length) ?? '';
  const headers = originalHeaders(rawHeaders, { names, host: read(telling.host), length });
  const isTold = (length !== '' && Number(length) !== 0) || (read(telling.encoding) ?? '') !== '';
  return { head: { method, target, rawHeaders: headers }, hasBody: isTold || carriesBody(rawHeaders) };
}

interface ClientsOwn {
  /** Of the headers that the front speaks through. */
  readonly names: ReadonlySet<string>;
  readonly host: string | undefined;
  readonly length: string;
}

/** The client's headers: the question's, with the host and length that the client wrote. */
function originalHeaders(rawHeaders: readonly string[], { names, host, length }: ClientsOwn): readonly string[] {
  const headers: string[] = [];
  for (const [rawName, value] of headerPairs(rawHeaders)) {
    const name = rawName.toLowerCase();
    if (names.has(name) || (name === 'content-length' && length !== '')) continue;
    headers.push(rawName, name === 'host' && host !== undefined ? host : value);
  }
  return length === '' ? headers : [...headers, 'content-length', length];
}

function carriesBody(rawHeaders: readonly string[]): boolean {
  return rawHeaders.some((rawName, at) => {
    if (at % 2 !== 0) return false;
    const name = rawName.toLowerCase();
    return name === 'transfer-encoding' || (name === 'content-length' && Number(rawHeaders[at + 1]) !== 0);
  });
}
