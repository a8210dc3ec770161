import { refuse } from '../refusal.js';
import type { Refused } from '../refusal.js';

/** The line before the data of a chunk. */
export interface ChunkHeader {
  /** Bytes of data; 0 for the last chunk. */
  readonly size: number;
  /** 64 lower-case hex digits; undefined in the unsigned mode. */
  readonly signature: string | undefined;
}

// One spelling: no sign, blank or leading zero, and no extension but the signature. 13 digits are below 2^53.
const HEADER = /^(0|[1-9a-fA-F][0-9a-fA-F]{0,12})(?:;chunk-signature=([0-9a-f]{64}))?$/;

/** Bytes of the longest header without its line end. */
export const LONGEST_CHUNK_HEADER = 13 + ';chunk-signature='.length + 64;

/** Reads `SIZE` or `SIZE;chunk-signature=SIGNATURE`, the size in hex. */
export function parseChunkHeader(line: string, isSigned: boolean): ChunkHeader | Refused {
  const match = HEADER.exec(line);
  if (match?.[1] === undefined) return refuse('malformed-chunk', 'the line before its data');
  const signature = match[2];
  if (isSigned !== (signature !== undefined)) {
    return refuse('malformed-chunk', isSigned ? 'without a signature' : 'signed in a mode without signatures');
  }
  return { size: Number.parseInt(match[1], 16), signature };
}

/** The header with its line end. */
export function formatChunkHeader({ size, signature }: ChunkHeader): string {
  return `${size.toString(16)}${signature === undefined ? '' : `;chunk-signature=${signature}`}\r\n`;
}
