import { commonSpelling } from './header-spelling.js';
import type { HeaderTable } from './header-table.js';
import { refuse } from './refusal.js';
import type { Refused } from './refusal.js';

const LOWER_CASE_TOKENS = /^[!#$%&'*+\-.^_`|~0-9a-z;]+$/;

/** Reads `host;x-amz-date`: lower case, sorted by bytes, each name once, at least one. */
export function parseSignedHeaders(text: string): readonly string[] | Refused {
  if (!LOWER_CASE_TOKENS.test(text)) return refuse('malformed-signed-headers', 'empty, upper case, or no token');
  const names = text.split(';');
  let before = '';
  for (const name of names) {
    // An empty name fails here too: nothing sorts before it.
    if (name <= before) return refuse('malformed-signed-headers', 'unsorted, doubled or empty');
    // It holds the signature, so nobody can have signed it.
    if (name === 'authorization') return refuse('malformed-signed-headers', name);
    before = name;
  }
  return names;
}

// In every spelling: some frameworks read x_amz_acl as x-amz-acl, and let these others stand for the method.
const STEERING = /^x-(?:amz-|http-method$|http-method-override$|method-override$)/;

/**
 * Host and every header that could change what the request does must be signed, and every signed header must have
 * arrived: an absent one was not what the signer saw.
 */
export function checkSignedHeaders(headers: HeaderTable, signedHeaders: readonly string[]): Refused | undefined {
  const signed = new Set(signedHeaders);
  if (!signed.has('host')) return refuse('host-not-signed');
  const unsigned = checkUnsignedHeaders(headers, signed);
  if (unsigned) return unsigned;
  for (const name of signedHeaders) {
    if (!headers.has(name)) return refuse('signed-header-absent', name);
  }
  return undefined;
}

/** No header that could change what the request does is there without being signed. */
export function checkUnsignedHeaders(headers: HeaderTable, signed: ReadonlySet<string>): Refused | undefined {
  const steering = [...headers.keys()].find((name) => !signed.has(name) && STEERING.test(commonSpelling(name)));
  return steering === undefined ? undefined : refuse('header-not-signed', steering);
}
