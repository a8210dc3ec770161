import { createHash } from 'node:crypto';

/** What HMAC-SHA256 makes of a key before anything else: as long as a block of SHA-256. */
export const KEY_BLOCK_BYTES = 64;

/**
 * The key of HMAC-SHA256 as RFC 2104 first makes it: zeros after a short one, the hash of one that is longer than a
 * block. HMAC gives the same under it. All secrets have the same length then, so that what is wrapped does not tell it,
 * AES key wrap needs no padding, and no token finds a key too short. The caller wipes it.
 */
export function keyBlockOf(secretAccessKey: Buffer): Buffer {
  const kSecret = Buffer.concat([Buffer.from('AWS4', 'utf8'), secretAccessKey]);
  const key = kSecret.length > KEY_BLOCK_BYTES ? createHash('sha256').update(kSecret).digest() : kSecret;
  const block = Buffer.alloc(KEY_BLOCK_BYTES);
  key.copy(block);
  key.fill(0);
  kSecret.fill(0);
  return block;
}
