import { commonSpelling } from '@sigv4-keyd/sigv4-core';
import { isIdentityHeader } from '../identity-headers.js';
import { isTraceHeader } from '../tracing/traced-upstream.js';
import { endToEndHeaders } from './hop-by-hop.js';

export type Scheme = 'http' | 'https';

/** What the upstream is told of a request's way here. Ours alone: what a client writes there proves nothing. */
export interface Way {
  readonly clientAddress: string;
  readonly scheme: Scheme;
  readonly host: string;
}

export interface UpstreamHeaderOptions {
  readonly identity: readonly string[];
  readonly way: Way;
  readonly forwardAuthorization: boolean;
  /** Bytes of the body; undefined: none, or in chunks. */
  readonly contentLength: number | undefined;
  /** In place of the client's own; empty: those stay. */
  readonly traceHeaders: readonly string[];
}

/** Whether a header could be read as one of ours, or tells of the way. */
function isForged(name: string): boolean {
  // In any spelling these begin with one letter. Most names end here.
  if (!name.startsWith('x') && !name.startsWith('f')) return false;
  return isIdentityHeader(name) || ABOUT_THE_WAY.test(commonSpelling(name));
}

// Some frameworks take the last ones for the target or host of the request, in place of what was verified.
const ABOUT_THE_WAY =
  /^(?:forwarded|x-forwarded|x-forwarded-.*|x-real-ip|x-original-(?:url|uri|host|method)|x-rewrite-url|x-http-host-override)$/;
/** What a client signed with is none of the upstream's business. */
const CREDENTIALS: ReadonlySet<string> = new Set(['authorization', 'x-amz-security-token']);

/** The headers for the upstream: the client's own, as they came, without what must not travel, and ours. */
export function upstreamHeaders(rawHeaders: readonly string[], options: UpstreamHeaderOptions): string[] {
  const { identity, way, contentLength, forwardAuthorization, traceHeaders } = options;
  const kept = endToEndHeaders(rawHeaders, (name) => {
    if (isForged(name)) return false;
    if (name === 'content-length' || name === 'expect') return false;
    if (traceHeaders.length > 0 && isTraceHeader(name)) return false;
    return forwardAuthorization || !CREDENTIALS.has(name);
  });
  kept.push(...identity, ...traceHeaders);
  kept.push('x-forwarded-for', way.clientAddress, 'x-forwarded-proto', way.scheme, 'x-forwarded-host', way.host);
  if (contentLength !== undefined) kept.push('content-length', String(contentLength));
  return kept;
}
