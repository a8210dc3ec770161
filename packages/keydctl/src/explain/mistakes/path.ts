import { canonicalUri, normalisePath } from '@sigv4-keyd/sigv4-core';
import type { Family } from '../mistake.js';
import { lowerHex, percentDecoded, percentEncoded } from './encodings.js';

/** How a path can be made canonical wrongly, or be another one by the time it arrives. */
export const pathMistakes: Family = function* (sketch, { path }) {
  const right = sketch.canonicalUri;
  const once = canonicalUri(path, 's3');
  const twice = once.replaceAll('%', '%25');
  const [, ...below] = path.slice(1).split('/');
  const tries: readonly (readonly [uri: string, id: string, what: string, next: string])[] = [
    [twice, 'path-encoded-twice', 'The path was encoded twice.', 'Encode it once: that is the rule of S3.'],
    [once, 'path-encoded-once', 'The path was encoded once.', 'Encode the path twice: all services but S3 do so.'],
    [path, 'path-not-encoded', 'The path was signed as it was written.', ENCODE],
    [percentDecoded(path), 'path-decoded', 'The path was signed without its percent-encoding.', ENCODE],
    [percentEncoded(percentDecoded(path), ''), 'path-slash-encoded', 'The slashes of the path were encoded.', ENCODE],
    [
      normalisePath(once),
      'path-normalised',
      'The path was normalised before signing.',
      'Sign it as it is sent: S3 keeps //, . and ..',
    ],
    [
      normalisePath(once).replaceAll('%', '%25'),
      'path-normalised',
      'The path was normalised.',
      'Send the normalised path, too.',
    ],
    [
      lowerHex(right),
      'path-lower-case-hex',
      'The hex digits of the percent-encoding are in lower case.',
      'Use upper case: %2F.',
    ],
    [right.replaceAll('%20', '+'), 'path-plus', 'Spaces in the path were signed as "+".', 'Encode a space as %20.'],
    [
      right.replaceAll('%2B', '+').replaceAll('%252B', '+'),
      'path-plus-kept',
      'A "+" in the path was signed as it is.',
      'Encode it as %2B.',
    ],
    [`${right}/`, 'path-slash-dropped', 'The path was signed with a slash at its end, and arrived without.', REWRITTEN],
    [right.replace(/(.)\/$/, '$1'), 'path-slash-added', 'The path was signed without the slash at its end.', REWRITTEN],
    [
      right.replace(/\/{2,}/g, '/'),
      'path-slashes-merged',
      'The path was signed with single slashes, and sent with several.',
      REWRITTEN,
    ],
    [`/${below.join('/')}`, 'path-prefix-added', 'The path was signed without its first segment.', REWRITTEN],
    ['/', 'path-left-out', 'The path was left out: "/" was signed.', 'Sign the path of the request.'],
    ['', 'path-empty', 'An empty path was signed.', 'Sign "/" where the path is empty.'],
  ];
  for (const [uri, id, what, next] of tries) {
    if (uri === right) continue;
    yield { about: 'path', sketch: { ...sketch, canonicalUri: uri }, finding: { id, what, next } };
  }
};

const ENCODE = 'Percent-encode every byte but A-Z a-z 0-9 - . _ ~ and the slashes that part segments.';
const REWRITTEN = 'Sign the path that the server sees; a proxy between may rewrite it.';
