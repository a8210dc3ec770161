import { withoutAwsChunked } from '@sigv4-keyd/sigv4-core';
import { headerPairs } from './hop-by-hop.js';

/** What describes the framing of a body in chunks, and would be untrue of the body without it. */
const OF_THE_FRAMING: ReadonlySet<string> = new Set([
  'x-amz-content-sha256',
  'x-amz-decoded-content-length',
  'x-amz-trailer',
]);

/** Names the algorithm of a trailer: an object store would look for a checksum that does not come. */
const OF_THE_TRAILER = 'x-amz-sdk-checksum-algorithm';

/**
 * The headers of a request whose body goes on without its framing. Signed ones are left out rather than changed, but
 * for Content-Encoding, which loses the word aws-chunked and nothing else.
 */
export function unframedHeaders(rawHeaders: readonly string[]): readonly string[] {
  const pairs = [...headerPairs(rawHeaders)];
  const hasTrailers = pairs.some(([name]) => name.toLowerCase() === 'x-amz-trailer');
  return pairs.flatMap(([rawName, value]) => {
    const name = rawName.toLowerCase();
    if (OF_THE_FRAMING.has(name) || (hasTrailers && name === OF_THE_TRAILER)) return [];
    if (name !== 'content-encoding') return [rawName, value];
    const left = withoutAwsChunked(value);
    return left === undefined ? [] : [rawName, left];
  });
}
