import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { isRefused, refuse } from '../refusal.js';
import type { Refused } from '../refusal.js';
import type { SignatureKey } from '../signature-key.js';
import { LONGEST_CHUNK_HEADER, parseChunkHeader } from './chunk-header.js';
import type { ChunkScope } from './chunk-string-to-sign.js';
import { CHUNKED_MODES } from './chunked-mode.js';
import type { ChunkedRules } from './chunked-mode.js';
import type { ChunkedPayload } from './chunked-payload.js';
import { LineReader } from './line-reader.js';
import { PieceRelease } from './piece-release.js';
import type { PayloadPiece } from './piece-release.js';
import { SignatureChain } from './signature-chain.js';
import type { ChainLink } from './signature-chain.js';
import { canonicalTrailers, LONGEST_TRAILER, TrailerReader } from './trailers.js';
import type { Trailers } from './trailers.js';

export interface ChunkLimits {
  /** Bytes that every chunk but the last has at least: bounds their number. */
  readonly smallest: number;
  /** Bytes that a signed chunk has at most: it is held in memory until its signature was verified. */
  readonly largest: number;
}

/** The request that a body belongs to, whose signature was verified. */
export interface ChunkedRequest extends ChunkScope {
  readonly payload: ChunkedPayload;
  readonly signature: string;
}

/** What some bytes released, and whether the body was refused after that. */
export interface ChunksVerified {
  readonly pieces: readonly PayloadPiece[];
  readonly refused?: Refused;
}

/** The end of a body that was verified as far as signatures go; whoever reads the trailers compares the checksums. */
export interface ChunksEnded {
  /** The last byte of the data, and the framing from there on. */
  readonly pieces: readonly PayloadPiece[];
  readonly trailers: Trailers;
}

type LineState = 'header' | 'data-end' | 'trailers' | 'last-line';

const LONGEST_LINE: Readonly<Record<LineState, number>> = {
  header: LONGEST_CHUNK_HEADER,
  'data-end': 0,
  trailers: LONGEST_TRAILER,
  'last-line': 0,
};

/**
 * Reads a body in chunks from parts of any cut; releases the data of a signed chunk once its signature was verified.
 * The last byte is released by `end` alone: nobody who was told the decoded length takes a refused body for whole.
 * Memory: one chunk. Released bytes are views of the parts, which must not be written to afterwards.
 */
export class ChunkDecoder {
  readonly #payload: ChunkedPayload;
  readonly #rules: ChunkedRules;
  readonly #limits: ChunkLimits;
  readonly #chain: SignatureChain | undefined;
  readonly #lines = new LineReader();
  readonly #trailers: TrailerReader;
  readonly #release: PieceRelease;
  #state: LineState | 'data' | 'ended' = 'header';
  #refused: Refused | undefined;
  /** Of the present chunk: data still to come, its pieces while they are held, their hash, and the signature. */
  #remaining = 0;
  #held: PayloadPiece[] = [];
  #hash: Hash = createHash('sha256');
  #signature: string | undefined;
  /** Bytes of all chunks so far. */
  #announced = 0;
  #hadSmallChunk = false;

  constructor(request: ChunkedRequest, key: SignatureKey, limits: ChunkLimits) {
    this.#payload = request.payload;
    this.#rules = CHUNKED_MODES[request.payload.kind];
    this.#limits = limits;
    // A public key makes no signature of a chunk, and so proves none.
    this.#chain = key.rung === 'kSigning' ? new SignatureChain(key, request, request.signature) : undefined;
    this.#trailers = new TrailerReader(request.payload.trailers);
    this.#release = new PieceRelease(request.payload.decodedLength);
  }

  /** Reads the next bytes. A refusal stays: whatever comes after it changes nothing. */
  push(part: Buffer): ChunksVerified {
    let at = 0;
    while (at < part.length && this.#refused === undefined) at = this.#read(part, at);
    const pieces = this.#release.take();
    return this.#refused === undefined ? { pieces } : { pieces, refused: this.#refused };
  }

  /** To be called when no more bytes come. */
  end(): ChunksEnded | Refused {
    if (this.#refused === undefined && this.#state !== 'ended') this.#refused = refuse('incomplete-body');
    return this.#refused ?? { pieces: this.#release.takeLast(), trailers: this.#trailers.found };
  }

  /** Reads in `part` from `from` on, and gives where the rest begins. */
  #read(part: Buffer, from: number): number {
    switch (this.#state) {
      case 'data':
        return this.#takeData(part, from);
      case 'ended':
        this.#refused = refuse('malformed-chunk', 'bytes behind the end');
        return part.length;
      case 'header':
      case 'data-end':
      case 'trailers':
      case 'last-line':
        return this.#takeLine(this.#state, part, from);
    }
  }

  #takeLine(state: LineState, part: Buffer, from: number): number {
    const { next, line, isBroken } = this.#lines.take(part, from, LONGEST_LINE[state]);
    if (isBroken) {
      this.#refused = refuse(
        state === 'trailers' ? 'malformed-trailer' : 'malformed-chunk',
        'a line too long, or not ended by CRLF',
      );
    }
    if (line !== undefined) this.#refused = this.#readLine(state, line);
    return next;
  }

  #readLine(state: LineState, line: string): Refused | undefined {
    this.#held.push({ kind: 'framing', line: `${line}\r\n` });
    switch (state) {
      case 'header':
        return this.#beginChunk(line);
      case 'data-end':
        this.#releaseHeld();
        this.#state = 'header';
        return undefined;
      case 'trailers':
        return line === '' ? this.#endTrailers() : this.#trailers.take(line);
      case 'last-line':
        this.#end();
        return undefined;
    }
  }

  #beginChunk(line: string): Refused | undefined {
    const header = parseChunkHeader(line, this.#rules.signsChunks);
    if (isRefused(header)) return header;
    this.#signature = header.signature;
    this.#hash = createHash('sha256');
    this.#remaining = header.size;
    this.#announced += header.size;
    if (header.size === 0) return this.#endChunks();
    if (this.#hadSmallChunk) return refuse('chunk-too-small');
    this.#hadSmallChunk = header.size < this.#limits.smallest;
    if (this.#announced > this.#payload.decodedLength) return refuse('decoded-length-mismatch', 'more data');
    if (this.#rules.signsChunks && header.size > this.#limits.largest) return refuse('chunk-too-large');
    this.#state = 'data';
    return undefined;
  }

  #takeData(part: Buffer, from: number): number {
    const bytes = part.subarray(from, from + this.#remaining);
    this.#remaining -= bytes.length;
    if (this.#rules.signsChunks) this.#hash.update(bytes);
    this.#held.push({ kind: 'data', bytes });
    if (!this.#rules.signsChunks) this.#releaseHeld();
    if (this.#remaining === 0) {
      this.#refused = this.#checkSignature();
      this.#state = 'data-end';
    }
    return from + bytes.length;
  }

  #checkSignature(): Refused | undefined {
    if (!this.#rules.signsChunks) return undefined;
    const link = { kind: 'chunk', sha256: this.#hash.digest('hex') } as const;
    if (!this.#accepts(link, this.#signature)) return refuse('chunk-signature-mismatch');
    this.#releaseHeld();
    return undefined;
  }

  #endChunks(): Refused | undefined {
    if (this.#announced !== this.#payload.decodedLength) return refuse('decoded-length-mismatch', 'less data');
    this.#state = this.#rules.hasTrailers ? 'trailers' : 'last-line';
    return this.#checkSignature();
  }

  #endTrailers(): Refused | undefined {
    if (!this.#trailers.isComplete) return refuse('trailer-mismatch', 'one that was announced is missing');
    const { signature, found } = this.#trailers;
    if (this.#rules.signsChunks !== (signature !== undefined)) {
      return refuse(
        'malformed-trailer',
        signature === undefined ? 'without a signature' : 'signed in an unsigned mode',
      );
    }
    const link = { kind: 'trailers', canonical: canonicalTrailers(found) } as const;
    if (this.#rules.signsChunks && !this.#accepts(link, signature)) return refuse('trailer-signature-mismatch');
    this.#end();
    return undefined;
  }

  #accepts(link: ChainLink, presented: string | undefined): boolean {
    return presented !== undefined && this.#chain?.accepts(link, presented) === true;
  }

  #end(): void {
    this.#releaseHeld();
    this.#state = 'ended';
  }

  #releaseHeld(): void {
    for (const piece of this.#held) this.#release.add(piece);
    this.#held = [];
  }
}
