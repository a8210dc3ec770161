import type { Family } from '../mistake.js';
import { quoted } from '../finding.js';
import { lowerHex, percentDecoded } from './encodings.js';

/** How a query can be made canonical wrongly, or be another one by the time it arrives. */
export const queryMistakes: Family = function* (sketch, { query, presented }) {
  const right = sketch.canonicalQuery;
  const isSignature = (part: string): boolean => /^x-amz-signature(?:=|$)/i.test(part);
  const raw = query
    .split('&')
    .filter((part) => part !== '' && !(presented.mechanism === 'presigned' && isSignature(part)));
  const parts = right.split('&').filter((part) => part !== '');
  const sorted = (texts: readonly string[]): string => [...texts].sort().join('&');
  const order = raw.map((part) => parts.find((one) => sameParameter(one, part)) ?? part);
  const decodedOnce = raw.map((part) => percentDecoded(part));
  const tries: readonly (readonly [query: string, id: string, what: string, next: string])[] = [
    [order.join('&'), 'query-unsorted', 'The query was signed in the order in which it was written.', SORT],
    [sorted(parts), 'query-sorted-joined', 'The query was sorted as joined texts.', SORT],
    [sortedByLocale(parts), 'query-sorted-by-locale', 'The query was sorted by letters, not by bytes.', SORT],
    [raw.join('&'), 'query-not-encoded', 'The query was signed as it was written.', ENCODE],
    [sorted(raw), 'query-not-encoded', 'The query was sorted, and not encoded.', ENCODE],
    [sorted(decodedOnce), 'query-decoded', 'The query was signed without its percent-encoding.', ENCODE],
    [
      parts.map((part) => part.replaceAll('%', '%25')).join('&'),
      'query-encoded-twice',
      'The query was encoded twice.',
      'Encode it once.',
    ],
    [
      right.replaceAll('%20', '+'),
      'query-plus',
      'Spaces were signed as "+".',
      'Sign a space as %20, however it is sent.',
    ],
    [
      right.replaceAll('%20', '%2B'),
      'query-plus-encoded',
      'A "+" was signed as %2B and stands for a space as it was sent.',
      'Send %2B for a plus, %20 for a space.',
    ],
    [
      right.replaceAll('%2B', '%20'),
      'query-plus-decoded',
      'A plus was signed as a space.',
      'Encode a plus as %2B before signing.',
    ],
    [
      lowerHex(right),
      'query-lower-case-hex',
      'The hex digits of the percent-encoding are in lower case.',
      'Use upper case: %2F.',
    ],
    [
      parts.map((part) => part.replace(/=$/, '')).join('&'),
      'query-no-equals',
      'A parameter without a value was signed without "=".',
      'Sign it as "name=".',
    ],
    [right.replaceAll('%2F', '/'), 'query-slash-kept', 'Slashes in the query were not encoded.', ENCODE],
    ['', 'query-left-out', 'The query was left out.', 'Sign the query of the request.'],
    [
      right.replace(/(^|&)X-Amz-Security-Token=[^&]*/i, '').replace(/^&/, ''),
      'query-token-unsigned',
      'The session token was added after signing.',
      'Add it before signing.',
    ],
  ];
  for (const [text, id, what, next] of tries) {
    if (text !== right)
      yield { about: 'query', sketch: { ...sketch, canonicalQuery: text }, finding: { id, what, next } };
  }
  for (const [at, part] of parts.slice(0, MOST_PARAMETERS).entries()) {
    const name = quoted(part.split('=')[0] ?? '');
    yield {
      about: 'query',
      sketch: { ...sketch, canonicalQuery: parts.filter((_one, index) => index !== at).join('&') },
      finding: {
        id: 'query-parameter-added',
        what: `The parameter ${name} was added after signing.`,
        next: 'Sign the query as it is sent; look for what adds parameters on the way.',
      },
    };
  }
};

const SORT = 'Sort by encoded name, then by encoded value, by bytes.';
const ENCODE = 'Percent-encode names and values: every byte but A-Z a-z 0-9 - . _ ~';
const MOST_PARAMETERS = 50;

/** Whether a raw parameter is the canonical one in another encoding. */
function sameParameter(canonical: string, raw: string): boolean {
  const text = percentDecoded(raw.replaceAll('+', '%20'));
  const decoded = percentDecoded(canonical);
  return decoded === text || decoded === `${text}=`;
}

function sortedByLocale(parts: readonly string[]): string {
  return [...parts].sort((a, b) => a.localeCompare(b, 'en')).join('&');
}
