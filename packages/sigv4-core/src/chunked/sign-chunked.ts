import { scopeForSigning, signingKeyFor } from '../credentials.js';
import type { Credentials } from '../credentials.js';
import { formatAmzDate } from '../amz-date.js';
import { signRequest } from '../sign-header.js';
import type { HeaderSigned, HeaderSigning } from '../sign-header.js';
import { signatureOf } from '../signature.js';
import type { UnsignedRequest } from '../unsigned-request.js';
import { ChunkEncoder } from './chunk-encoder.js';
import type { ChecksumHeader } from './checksum-header.js';
import { CHUNKED_MODES } from './chunked-mode.js';
import type { ChunkedMode } from './chunked-mode.js';
import { withAwsChunked } from './content-encoding.js';
import { SignatureChain } from './signature-chain.js';

/** How to sign a request whose body comes in chunks. */
export interface ChunkedSigning extends Omit<HeaderSigning, 'payload'> {
  readonly kind: ChunkedMode;
  /** Bytes of the body before it is framed. */
  readonly decodedLength: number;
  /** The checksums that follow the body, in the modes with trailers. */
  readonly trailers?: readonly ChecksumHeader[];
  /** The Content-Encoding of the body before it is framed, such as gzip. */
  readonly contentEncoding?: string;
}

export interface ChunkedSigned extends HeaderSigned {
  /** Frames and signs the body; for this one request. */
  readonly encoder: ChunkEncoder;
}

const SET_BY_CHUNKS = ['content-encoding', 'x-amz-decoded-content-length', 'x-amz-trailer'] as const;

/**
 * Signs the head of a request, and gives what signs the chunks of its body. `framedLength` tells the Content-Length.
 * Throws TypeError or RangeError for what no verifier would accept.
 */
export function signChunkedRequest(
  request: UnsignedRequest,
  credentials: Credentials,
  { kind, decodedLength, trailers = [], contentEncoding, ...signing }: ChunkedSigning,
): ChunkedSigned {
  if (!Number.isSafeInteger(decodedLength) || decodedLength < 0)
    throw new RangeError('the decoded length is no length');
  if (CHUNKED_MODES[kind].hasTrailers !== trailers.length > 0) {
    throw new RangeError(
      trailers.length > 0 ? 'this payload mode has no trailers' : 'this payload mode needs a trailer',
    );
  }
  for (const [name] of request.headers) {
    const set = SET_BY_CHUNKS.find((one) => one === name.toLowerCase());
    if (set !== undefined) throw new TypeError(`cannot sign: remove the header ${set}, signing in chunks sets it`);
  }
  const payload = { kind, decodedLength, trailers: [...trailers].sort() };
  const added: readonly (readonly [string, string])[] = [
    ['content-encoding', withAwsChunked(contentEncoding)],
    ['x-amz-decoded-content-length', String(decodedLength)],
    ...(trailers.length === 0 ? [] : [['x-amz-trailer', payload.trailers.join(',')] as const]),
  ];
  const whole = { ...request, headers: [...request.headers, ...added] };
  const signed = signRequest(whole, credentials, { ...signing, payload: { kind } });
  const scope = scopeForSigning(signing.now, signing.region, signing.service);
  const key = signingKeyFor(credentials, scope);
  const seed = signatureOf(key, signed.stringToSign);
  const chain = new SignatureChain(key, { amzDate: formatAmzDate(signing.now), scope }, seed);
  return { ...signed, headers: [...added, ...signed.headers], encoder: new ChunkEncoder(payload, chain) };
}
