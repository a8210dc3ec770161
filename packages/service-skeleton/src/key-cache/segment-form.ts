import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { CacheFileError } from './cache-problem.js';
import { sealingKey, type CacheSecret } from './cache-secret.js';

/**
 * The form of a cache file: segments, one after the other, each written at once and believed as a whole or not at all.
 *
 *     segment = MAGIC (8) | form (1) | name of the secret (8) | salt (32) | block ...
 *     block   = length of what follows, top bit set in the last (4, big-endian) | ciphertext | tag (16)
 *
 * Every segment has a key of its own, by HKDF from the secret, a fresh random salt, and where the segment stands: which
 * keys, which file, and the tag that ends the segment before it. Nothing of another identity, tier or day fits in, and
 * no segment can be left out, moved or repeated between two others.
 *
 * The nonce is the block's number and whether it is the last. Under one key each number is used once: a segment is only
 * ever written from its start to its end, and one that failed halfway is written again under a fresh salt, not resumed.
 * So blocks cannot be moved, and a segment without its end is told from a whole one.
 */
export const MAGIC = Buffer.from('KEYDKEYS', 'latin1');
export const FORM = 1;
export const NAME_BYTES = 8;
export const SALT_BYTES = 32;
export const HEADER_BYTES = MAGIC.length + 1 + NAME_BYTES + SALT_BYTES;
export const LENGTH_BYTES = 4;
export const TAG_BYTES = 16;
/** The content of the last block: the number of records. */
export const END_BYTES = 4;
/** The largest content of a block, bytes. */
export const MOST_BLOCK_BYTES = 1024 * 1024;

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const LAST = 0x8000_0000;

/** Where a segment stands. */
export interface SegmentPlace {
  /** Which keys these are: the path of the hop that they came by. */
  readonly keys: string;
  /** The file's name. */
  readonly file: string;
  /** The tag that ends the segment before this one in the file; empty for the first. */
  readonly after: Buffer;
}

export interface SegmentHeader {
  readonly secretName: string;
  readonly salt: Buffer;
}

export function writeHeader({ secretName, salt }: SegmentHeader): Buffer {
  return Buffer.concat([MAGIC, Buffer.from([FORM]), Buffer.from(secretName, 'hex'), salt]);
}

/** @throws CacheFileError */
export function readHeader(bytes: Buffer): SegmentHeader {
  const afterForm = MAGIC.length + 1;
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC) || bytes[MAGIC.length] !== FORM) {
    throw new CacheFileError('other-form');
  }
  return {
    secretName: bytes.toString('hex', afterForm, afterForm + NAME_BYTES),
    salt: Buffer.from(bytes.subarray(afterForm + NAME_BYTES, HEADER_BYTES)),
  };
}

/** JSON keeps the parts apart, whatever they hold. */
export function segmentKey(secret: CacheSecret, salt: Buffer, { keys, file, after }: SegmentPlace): KeyObject {
  const info = JSON.stringify(['sigv4-keyd key cache segment', FORM, keys, file, after.toString('hex')]);
  return sealingKey(secret, salt, info);
}

export function sealBlock(key: KeyObject, number: number, isLast: boolean, content: Uint8Array): Buffer {
  const length = lengthOf(content.length, isLast);
  const cipher = createCipheriv(CIPHER, key, nonceOf(number, isLast), { authTagLength: TAG_BYTES });
  return Buffer.concat([length, cipher.update(content), cipher.final(), cipher.getAuthTag()]);
}

/**
 * Opens what follows a length. The caller overwrites the content.
 * @throws CacheFileError 'not-authentic'
 */
export function openBlock(key: KeyObject, number: number, isLast: boolean, sealed: Buffer): Buffer {
  const end = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv(CIPHER, key, nonceOf(number, isLast), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(sealed.subarray(end));
  const content = decipher.update(sealed.subarray(0, end));
  try {
    decipher.final();
    return content;
  } catch {
    content.fill(0);
    throw new CacheFileError('not-authentic');
  }
}

/** @throws CacheFileError 'not-authentic' for a length that no block has */
export function readLength(bytes: Buffer): { readonly sealedBytes: number; readonly isLast: boolean } {
  const word = bytes.readUInt32BE(0);
  const isLast = word >= LAST;
  const sealedBytes = isLast ? word - LAST : word;
  if (sealedBytes < TAG_BYTES || sealedBytes > MOST_BLOCK_BYTES + TAG_BYTES) throw new CacheFileError('not-authentic');
  return { sealedBytes, isLast };
}

function lengthOf(contentBytes: number, isLast: boolean): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(contentBytes + TAG_BYTES + (isLast ? LAST : 0));
  return length;
}

function nonceOf(number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce.writeUInt32BE(number, NONCE_BYTES - 5);
  nonce[NONCE_BYTES - 1] = isLast ? 1 : 0;
  return nonce;
}
