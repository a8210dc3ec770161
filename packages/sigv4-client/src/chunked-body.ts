import { Readable } from 'node:stream';
import { signedChunks } from '@sigv4-keyd/payload-streams';
import { framedLength, type ChunkEncoder } from '@sigv4-keyd/sigv4-core';
import { bytesOf, type SentBody } from './prepared-payload.js';

const CHUNK_BYTES = 64 * 1024;

/** The bytes on the wire of a body in signed chunks. */
export function chunkedLength(decodedLength: number): number {
  return framedLength({ kind: 'streaming-signed', decodedLength, trailers: [] }, CHUNK_BYTES);
}

/** A body in signed chunks, while it is sent. */
export function chunkedBody(body: SentBody, encoder: ChunkEncoder): Readable {
  const writing = { chunkBytes: CHUNK_BYTES, trailers: [] };
  return Readable.from(signedChunks(partsOf(body), encoder, writing), { objectMode: false });
}

async function* partsOf(body: SentBody): AsyncGenerator<Uint8Array, void, undefined> {
  if (body === null) return;
  if (body instanceof Uint8Array) yield await Promise.resolve(body);
  else for await (const part of body instanceof Blob ? body.stream() : body) yield bytesOf(part);
}
