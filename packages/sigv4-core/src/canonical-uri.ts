import type { PathRule } from './path-rule.js';
import { percentEncode, uniformEncoding } from './percent-encoding.js';

const NOT_NORMALISED = /\/(?:\.{0,2}\/|\.{1,2}$)/;

/** The canonical URI of a wire path (latin1, starting with "/"). */
export function canonicalUri(path: string, rule: PathRule): string {
  switch (rule) {
    case 's3':
      return uniformEncoding(path, 'kept');
    case 'standard':
      return percentEncode(isNormalisedPath(path) ? path : normalisePath(path), 'kept');
  }
}

/** True when the path has no empty, "." or ".." segment; a slash at its end is no empty segment. */
export function isNormalisedPath(path: string): boolean {
  // Neither is in most paths, which is found out in no time.
  const mayBeNot = path.includes('//') || path.includes('/.');
  return !(mayBeNot && NOT_NORMALISED.test(path));
}

/** Removes empty and "." segments, and ".." with the segment before it; a slash at the end stays. */
export function normalisePath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  // Signers agree on this rather than on RFC 3986, 5.2.4: the slash is kept only where the path was written with one.
  const end = segments.length > 0 && path.endsWith('/') ? '/' : '';
  return `/${segments.join('/')}${end}`;
}
