import { canonicalHeaderValue } from './canonical-headers.js';
import { isToken } from './request-head.js';
import { refuse } from './refusal.js';
import type { Refused } from './refusal.js';

/** Canonical values by lower-case name. */
export type HeaderTable = ReadonlyMap<string, string>;

// Two copies of one of these are two readings of one request: the verifier would take one, the upstream the other.
const SINGLE: ReadonlySet<string> = new Set([
  'authorization',
  'content-length',
  'content-type',
  'date',
  'host',
  'transfer-encoding',
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-decoded-content-length',
  'x-amz-region-set',
  'x-amz-security-token',
]);

const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Reads raw headers once; repeated headers are joined with "," in order of arrival. */
export function readHeaders(rawHeaders: readonly string[]): HeaderTable | Refused {
  const table = new Map<string, string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const rawName = rawHeaders[at];
    const rawValue = rawHeaders[at + 1];
    if (rawName === undefined || rawValue === undefined) return refuse('malformed-header', 'a name without a value');
    if (!isToken(rawName)) return refuse('malformed-header', 'a name that is no token');
    const name = rawName.toLowerCase();
    if (!VALUE.test(rawValue)) return refuse('malformed-header', name);
    const value = canonicalHeaderValue(rawValue);
    const before = table.get(name);
    if (before !== undefined && SINGLE.has(name)) return refuse('duplicate-header', name);
    table.set(name, before === undefined ? value : `${before},${value}`);
  }
  return table;
}
