import type { HeaderTable } from '../header-table.js';
import { refuse } from '../refusal.js';
import type { Refused } from '../refusal.js';
import { trimBlanks } from '../trim-blanks.js';
import { isChecksumHeader } from './checksum-header.js';
import type { ChecksumHeader } from './checksum-header.js';
import { CHUNKED_MODES } from './chunked-mode.js';
import type { ChunkedMode } from './chunked-mode.js';
import { timesAwsChunked } from './content-encoding.js';

/** What the signed headers say of a body that comes in chunks. */
export interface ChunkedPayload {
  readonly kind: ChunkedMode;
  /** Bytes of the body without its framing. */
  readonly decodedLength: number;
  /** The trailers that follow the last chunk, sorted; all of them, and no others. */
  readonly trailers: readonly ChecksumHeader[];
}

const PLAIN_DECIMAL = /^(?:0|[1-9][0-9]{0,15})$/;

/**
 * Reads x-amz-decoded-content-length, x-amz-trailer and Content-Encoding. The first two are signed like every x-amz-*
 * header. Content-Encoding decides nothing, since it may be unsigned: the signed x-amz-content-sha256 alone says that
 * the body is framed. S3 takes requests that do not name aws-chunked there, and older clients send them.
 */
export function readChunkedPayload(kind: ChunkedMode, headers: HeaderTable): ChunkedPayload | Refused {
  const length = headers.get('x-amz-decoded-content-length');
  if (length === undefined) return refuse('missing-decoded-length');
  const decodedLength = Number(length);
  if (!PLAIN_DECIMAL.test(length) || !Number.isSafeInteger(decodedLength)) return refuse('malformed-decoded-length');
  if (timesAwsChunked(headers.get('content-encoding') ?? '') > 1) return refuse('malformed-content-encoding');
  const trailers = readTrailerNames(headers.get('x-amz-trailer'), CHUNKED_MODES[kind].hasTrailers);
  if ('verdict' in trailers) return trailers;
  return { kind, decodedLength, trailers };
}

/** Trailers are checksums and nothing else. Without one, nothing at all would bind the body of the unsigned mode. */
function readTrailerNames(value: string | undefined, isExpected: boolean): readonly ChecksumHeader[] | Refused {
  if (!isExpected) return value === undefined ? [] : refuse('trailer-refused', 'none in this payload mode');
  if (value === undefined) return refuse('trailer-refused', 'none is announced');
  const names = value.split(',').map((name) => trimBlanks(name).toLowerCase());
  const known = names.filter(isChecksumHeader);
  if (known.length !== names.length) return refuse('trailer-refused', 'not a checksum that is known here');
  if (new Set(known).size !== known.length) return refuse('trailer-refused', 'announced twice');
  return known.sort();
}
