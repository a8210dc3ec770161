import { Readable } from 'node:stream';
import { signedChunks } from '@sigv4-keyd/payload-streams';
import { signChunkedRequest, type ChecksumHeader, type ChunkedMode } from '@sigv4-keyd/sigv4-core';
import { credentialsOf, HOST, NOW, type Draft, type Message } from './client.js';

export interface ChunkedDraft extends Omit<Draft, 'body' | 'payload' | 'regionSet'> {
  readonly kind: ChunkedMode;
  readonly data: Buffer;
  /** Bytes of data in each chunk but the last; by default 8 KiB. */
  readonly chunkBytes?: number;
  /** By default CRC32C, in the modes that have trailers. */
  readonly trailer?: ChecksumHeader;
  readonly contentEncoding?: string;
}

/** A request whose head and body are signed in chunks. */
export async function chunked(draft: ChunkedDraft): Promise<Message> {
  const { kind, data, chunkBytes = 8_192, trailer = 'x-amz-checksum-crc32c' } = draft;
  const { method = 'PUT', target = '/bucket/key', host = HOST } = draft;
  const { now = NOW, region = 'eu-west-1', service = 's3' } = draft;
  const trailers = kind === 'streaming-signed' ? [] : [trailer];
  const headers = [['host', host], ...(draft.headers ?? [])] as const;
  const { headers: added, encoder } = signChunkedRequest({ method, target, headers }, credentialsOf(draft), {
    now,
    region,
    service,
    kind,
    trailers,
    decodedLength: data.length,
    ...(draft.contentEncoding !== undefined && { contentEncoding: draft.contentEncoding }),
  });
  const body = await Readable.from(signedChunks(Readable.from([data]), encoder, { chunkBytes, trailers })).toArray();
  return { method, target, headers: [...headers, ...added, ...(draft.unsigned ?? [])], body: Buffer.concat(body) };
}

/** The message with the byte at `at` of its body changed; negative positions count from the end. */
export function withChangedByte(message: Message, at: number): Message {
  const body = Buffer.from(message.body);
  const position = at < 0 ? body.length + at : at;
  body[position] = (body[position] ?? 0) ^ 1;
  return { ...message, body };
}
