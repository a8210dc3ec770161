import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { EMPTY_BODY_SHA256, sha256Hex, type SigningPayload } from '@sigv4-keyd/sigv4-core';
import { readBody, type Body } from './body.js';
import { SigningError } from './signing-error.js';

export interface PayloadRules {
  /**
   * `exact`: the body's hash is signed. `chunked`: Blobs, and streams whose Content-Length is given, are signed chunk
   * by chunk, as S3 and its like take them. `unsigned`: no signature covers the body, and streams are not held.
   */
  readonly payload: 'exact' | 'chunked' | 'unsigned';
  /** Bytes of a stream that are held to hash it before it is sent. */
  readonly longestHeldStream: number;
}

/** How a body is bound to the signature. */
export type PayloadBinding = SigningPayload | { readonly kind: 'chunked'; readonly decodedLength: number };

/** What is sent as a body. */
export type SentBody = Uint8Array | Blob | Readable | null;

/** A body, ready to be signed and sent. */
export interface PreparedPayload {
  readonly binding: PayloadBinding;
  readonly contentType?: string;
  /** Bytes, without the framing of chunks; undefined for a stream of unknown length that is sent as it comes. */
  readonly length: number | undefined;
  readonly isReplayable: boolean;
  /** The body for one sending; again only when it is replayable. */
  readonly open: () => SentBody;
}

/** A body of no bytes. */
export const NO_PAYLOAD: PreparedPayload = {
  binding: { kind: 'exact', sha256: EMPTY_BODY_SHA256 },
  length: 0,
  isReplayable: true,
  open: () => null,
};

/**
 * Reads what has to be known of a body before it is sent; `statedLength` is what a Content-Length says of it, in bytes.
 * Rejects with a SigningError, or as the stream does.
 */
export async function preparePayload(
  body: Body | null | undefined,
  rules: PayloadRules,
  statedLength?: number,
): Promise<PreparedPayload> {
  const read = await readBody(body);
  switch (read.kind) {
    case 'none':
      return NO_PAYLOAD;
    case 'bytes': {
      const { bytes } = read;
      const binding: PayloadBinding = rules.payload === 'unsigned' ? UNSIGNED : exact(sha256Hex(bytes));
      return { binding, ...typeOf(read), length: bytes.length, isReplayable: true, open: () => bytes };
    }
    case 'blob': {
      const { blob } = read;
      const binding = await blobBinding(blob, rules);
      return { binding, ...typeOf(read), length: blob.size, isReplayable: true, open: () => blob };
    }
    case 'stream':
      return prepareStream(read.stream, rules, statedLength);
  }
}

const UNSIGNED = { kind: 'unsigned' } as const;

function exact(sha256: string): PayloadBinding {
  return { kind: 'exact', sha256 };
}

async function blobBinding(blob: Blob, { payload }: PayloadRules): Promise<PayloadBinding> {
  switch (payload) {
    case 'exact':
      return exact(await blobSha256(blob));
    case 'chunked':
      return { kind: 'chunked', decodedLength: blob.size };
    case 'unsigned':
      return UNSIGNED;
  }
}

async function prepareStream(
  parts: AsyncIterable<unknown> | Iterable<unknown>,
  { payload, longestHeldStream }: PayloadRules,
  statedLength: number | undefined,
): Promise<PreparedPayload> {
  if (payload === 'unsigned' || (payload === 'chunked' && statedLength !== undefined)) {
    const stream = Readable.from(parts, { objectMode: false });
    const binding = statedLength === undefined || payload === 'unsigned' ? UNSIGNED : chunksOf(statedLength);
    return { binding, length: statedLength, isReplayable: false, open: () => stream };
  }
  const bytes = await hold(parts, longestHeldStream);
  return { binding: exact(sha256Hex(bytes)), length: bytes.length, isReplayable: true, open: () => bytes };
}

function chunksOf(decodedLength: number): PayloadBinding {
  return { kind: 'chunked', decodedLength };
}

function typeOf({ contentType }: { readonly contentType?: string }): { readonly contentType?: string } {
  return contentType === undefined ? {} : { contentType };
}

async function blobSha256(blob: Blob): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of blob.stream()) hash.update(bytesOf(part));
  return hash.digest('hex');
}

async function hold(stream: AsyncIterable<unknown> | Iterable<unknown>, longest: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const source = Readable.from(stream);
  for await (const part of source.iterator({ destroyOnReturn: false })) {
    const bytes = bytesOf(part);
    length += bytes.length;
    if (length > longest) {
      // Not waited for: a stream that is still being filled may take its end only when its filler has ended, too.
      source.destroy();
      throw new SigningError('stream-too-long', `the body has more than ${longest} bytes`);
    }
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}

/** A part of a stream as bytes. */
export function bytesOf(part: unknown): Uint8Array {
  if (part instanceof Uint8Array) return part;
  if (typeof part === 'string') return Buffer.from(part, 'utf8');
  throw new TypeError('a body must come in parts of bytes or text');
}
