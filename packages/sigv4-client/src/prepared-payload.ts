import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { EMPTY_BODY_SHA256, sha256Hex, type SigningPayload } from '@sigv4-keyd/sigv4-core';
import { readBody, type Body } from './body.js';
import { SigningError } from './signing-error.js';

export interface PayloadRules {
  /** `exact`: the body's hash is signed. `unsigned`: no signature covers the body, and streams are not held. */
  readonly payload: 'exact' | 'unsigned';
  /** Bytes of a stream that are held to hash it before it is sent. */
  readonly longestHeldStream: number;
}

/** A body, ready to be signed and sent. */
export interface PreparedPayload {
  readonly signing: SigningPayload;
  readonly contentType?: string;
  /** Bytes; undefined for a stream that is sent as it comes. */
  readonly length: number | undefined;
  readonly isReplayable: boolean;
  /** The body for one sending; again only when it is replayable. */
  readonly open: () => Uint8Array | Blob | Readable | null;
}

/** A body of no bytes. */
export const NO_PAYLOAD: PreparedPayload = {
  signing: { kind: 'exact', sha256: EMPTY_BODY_SHA256 },
  length: 0,
  isReplayable: true,
  open: () => null,
};

/** Reads what has to be known of a body before it is sent. Rejects with a SigningError, or as the stream does. */
export async function preparePayload(
  body: Body | null | undefined,
  { payload, longestHeldStream }: PayloadRules,
): Promise<PreparedPayload> {
  const read = await readBody(body);
  const isUnsigned = payload === 'unsigned';
  const signing = (sha256: string): SigningPayload => (isUnsigned ? { kind: 'unsigned' } : { kind: 'exact', sha256 });
  switch (read.kind) {
    case 'none':
      return NO_PAYLOAD;
    case 'bytes': {
      const { bytes } = read;
      return {
        signing: signing(isUnsigned ? '' : sha256Hex(bytes)),
        ...typeOf(read),
        length: bytes.length,
        isReplayable: true,
        open: () => bytes,
      };
    }
    case 'blob': {
      const { blob } = read;
      return {
        signing: signing(isUnsigned ? '' : await blobSha256(blob)),
        ...typeOf(read),
        length: blob.size,
        isReplayable: true,
        open: () => blob,
      };
    }
    case 'stream': {
      if (isUnsigned) {
        const stream = Readable.from(read.stream, { objectMode: false });
        return { signing: signing(''), length: undefined, isReplayable: false, open: () => stream };
      }
      const bytes = await hold(read.stream, longestHeldStream);
      return { signing: signing(sha256Hex(bytes)), length: bytes.length, isReplayable: true, open: () => bytes };
    }
  }
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
  for await (const part of stream) {
    const bytes = bytesOf(part);
    length += bytes.length;
    if (length > longest) throw new SigningError('stream-too-long', `the body has more than ${longest} bytes`);
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}

function bytesOf(part: unknown): Uint8Array {
  if (part instanceof Uint8Array) return part;
  if (typeof part === 'string') return Buffer.from(part, 'utf8');
  throw new TypeError('a body must come in parts of bytes or text');
}
