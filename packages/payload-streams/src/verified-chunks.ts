import {
  bytesOfPiece,
  isRefused,
  type ChecksumHeader,
  type ChunkDecoder,
  type PayloadPiece,
} from '@sigv4-keyd/sigv4-core';
import { ChecksumCheck, type Checksums } from './checksum-check.js';
import { PayloadRefused } from './payload-refused.js';

/** What goes on: the data alone, or with the framing that it came in. */
export type ChunkedForm = 'decoded' | 'as-received';

export interface ChunkedReading {
  /** The trailers that were announced. */
  readonly trailers: readonly ChecksumHeader[];
  /** The checksums that the headers state. */
  readonly declared: Checksums;
  readonly form: ChunkedForm;
  /** Called when all is verified, right before the last byte goes on; what it throws stops that. */
  readonly beforeEnd: () => void;
}

/**
 * The verified bytes of a body in chunks. Throws PayloadRefused when a chunk, a trailer or a checksum is wrong: what
 * was given by then were verified chunks, and never the last byte. Memory: one chunk.
 */
export async function* verifiedChunks(
  parts: AsyncIterable<Buffer>,
  decoder: ChunkDecoder,
  { trailers, declared, form, beforeEnd }: ChunkedReading,
): AsyncGenerator<Buffer, void, undefined> {
  const check = new ChecksumCheck([...trailers, ...declared.keys()]);
  const passing = (pieces: readonly PayloadPiece[]): readonly Buffer[] => {
    const passed: Buffer[] = [];
    for (const piece of pieces) {
      if (piece.kind === 'data') check.update(piece.bytes);
      if (piece.kind === 'data' || form === 'as-received') passed.push(bytesOfPiece(piece));
    }
    return passed;
  };
  for await (const part of parts) {
    const { pieces, refused } = decoder.push(part);
    yield* passing(pieces);
    if (refused !== undefined) throw new PayloadRefused(refused);
  }
  const end = decoder.end();
  if (isRefused(end)) throw new PayloadRefused(end);
  const last = passing(end.pieces);
  const mismatch = await check.compare([declared, end.trailers]);
  if (mismatch !== undefined) throw new PayloadRefused(mismatch);
  beforeEnd();
  yield* last;
}
