import { isPercentEncodingValid } from './percent-encoding.js';
import { refuse } from './refusal.js';
import type { Refused } from './refusal.js';

/** A target parted at its first "?"; both parts undecoded. */
export interface RequestTarget {
  /** Starts with "/". */
  readonly path: string;
  /** Without the "?"; empty when there is none. */
  readonly query: string;
}

// Visible ASCII but "#", and the bytes above ASCII, which some clients send unencoded.
const ALLOWED = /^[!"\x24-\x7e\x80-\xff]+$/;

/** Reads an origin-form target (RFC 9112, 3.2.1). */
export function parseRequestTarget(target: string): RequestTarget | Refused {
  if (!target.startsWith('/')) return refuse('malformed-target', 'it does not start with "/"');
  if (!ALLOWED.test(target)) return refuse('malformed-target', 'it holds a space, a control byte, or "#"');
  if (!isPercentEncodingValid(target)) return refuse('malformed-target', 'a "%" is not followed by two hex digits');
  const mark = target.indexOf('?');
  return mark < 0 ? { path: target, query: '' } : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}
