import { sha256Hex } from '../payload-hash.js';
import { CHECKSUM_BYTES } from './checksum-header.js';
import { formatChunkHeader } from './chunk-header.js';
import { CHUNKED_MODES } from './chunked-mode.js';
import type { ChunkedRules } from './chunked-mode.js';
import type { ChunkedPayload } from './chunked-payload.js';
import type { SignatureChain } from './signature-chain.js';
import { canonicalTrailers, TRAILER_SIGNATURE } from './trailers.js';
import type { Trailers } from './trailers.js';

const LINE_END = Buffer.from('\r\n');
const SIGNATURE_DIGITS = 64;

/** Frames a body in chunks and signs each, for clients. */
export class ChunkEncoder {
  readonly #payload: ChunkedPayload;
  readonly #rules: ChunkedRules;
  readonly #chain: SignatureChain;
  #encoded = 0;

  constructor(payload: ChunkedPayload, chain: SignatureChain) {
    this.#payload = payload;
    this.#rules = CHUNKED_MODES[payload.kind];
    this.#chain = chain;
  }

  /**
   * The bytes of one chunk; the data itself is not copied. S3 takes no chunk below 8 KiB but the last. Throws
   * RangeError for no data, which would end the body, and for more than the decoded length.
   */
  chunk(data: Buffer): readonly Buffer[] {
    if (data.length === 0) throw new RangeError('a chunk of no bytes would end the body: call end()');
    this.#encoded += data.length;
    if (this.#encoded > this.#payload.decodedLength) throw new RangeError('more data than the signed decoded length');
    return [this.#header(data), data, LINE_END];
  }

  /** The last chunk and the trailers. Throws RangeError when data or an announced trailer is missing. */
  end(trailers: Trailers = new Map()): Buffer {
    if (this.#encoded !== this.#payload.decodedLength) throw new RangeError('less data than the signed decoded length');
    if ([...trailers.keys()].sort().join(',') !== this.#payload.trailers.join(',')) {
      throw new RangeError('the trailers are not those that were announced');
    }
    const lines = [...trailers].map(([name, checksum]) => Buffer.from(`${name}:${checksum.toString('base64')}\r\n`));
    return Buffer.concat([this.#header(Buffer.alloc(0)), ...lines, ...this.#trailerSignature(trailers), LINE_END]);
  }

  #header(data: Buffer): Buffer {
    const { signsChunks } = this.#rules;
    const signature = signsChunks ? this.#chain.sign({ kind: 'chunk', sha256: sha256Hex(data) }) : undefined;
    return Buffer.from(formatChunkHeader({ size: data.length, signature }));
  }

  #trailerSignature(trailers: Trailers): readonly Buffer[] {
    if (!this.#rules.signsChunks || !this.#rules.hasTrailers) return [];
    const signature = this.#chain.sign({ kind: 'trailers', canonical: canonicalTrailers(trailers) });
    return [Buffer.from(`${TRAILER_SIGNATURE}:${signature}\r\n`)];
  }
}

/** Bytes of the framed body, where every chunk but the last has `chunkBytes` bytes of data. */
export function framedLength({ kind, decodedLength, trailers }: ChunkedPayload, chunkBytes: number): number {
  const { signsChunks, hasTrailers } = CHUNKED_MODES[kind];
  const signature = signsChunks ? '0'.repeat(SIGNATURE_DIGITS) : undefined;
  const header = (size: number): number => formatChunkHeader({ size, signature }).length;
  const chunk = (size: number): number => header(size) + size + LINE_END.length;
  const whole = Math.floor(decodedLength / chunkBytes);
  const rest = decodedLength % chunkBytes;
  const trailerLines = trailers.map((name) => name.length + 1 + base64Length(CHECKSUM_BYTES[name]) + LINE_END.length);
  const signatureLine = TRAILER_SIGNATURE.length + 1 + SIGNATURE_DIGITS + LINE_END.length;
  return (
    whole * chunk(chunkBytes) +
    (rest === 0 ? 0 : chunk(rest)) +
    header(0) +
    trailerLines.reduce((sum, length) => sum + length, 0) +
    (signsChunks && hasTrailers ? signatureLine : 0) +
    LINE_END.length
  );
}

function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}
