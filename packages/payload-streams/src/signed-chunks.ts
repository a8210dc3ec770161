import type { ChecksumHeader, ChunkEncoder } from '@sigv4-keyd/sigv4-core';
import { CHECKSUMS } from './checksum.js';

export interface ChunkedWriting {
  /** Bytes of data in each chunk but the last; S3 takes no fewer than 8 KiB. */
  readonly chunkBytes: number;
  /** The checksums that follow the body, as they were announced. */
  readonly trailers: readonly ChecksumHeader[];
}

/**
 * The wire's bytes of a body in chunks, for a request that signChunkedRequest signed. Throws RangeError when there is
 * more or less data than the decoded length that was signed.
 */
export async function* signedChunks(
  data: AsyncIterable<Uint8Array>,
  encoder: ChunkEncoder,
  { chunkBytes, trailers }: ChunkedWriting,
): AsyncGenerator<Buffer, void, undefined> {
  const checksums = trailers.map((name) => [name, CHECKSUMS[name]()] as const);
  for await (const chunk of inPieces(data, chunkBytes)) {
    for (const [, checksum] of checksums) checksum.update(chunk);
    yield* encoder.chunk(chunk);
  }
  const digests = new Map<ChecksumHeader, Buffer>();
  for (const [name, checksum] of checksums) digests.set(name, await checksum.digest());
  yield encoder.end(digests);
}

/** The same data cut anew: each piece but the last has `size` bytes. */
async function* inPieces(data: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Buffer, void, undefined> {
  let waiting: Buffer[] = [];
  let length = 0;
  for await (const part of data) {
    let rest = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
    while (length + rest.length >= size) {
      const missing = size - length;
      yield Buffer.concat([...waiting, rest.subarray(0, missing)], size);
      rest = rest.subarray(missing);
      waiting = [];
      length = 0;
    }
    if (rest.length > 0) waiting.push(rest);
    length += rest.length;
  }
  if (length > 0) yield Buffer.concat(waiting, length);
}
