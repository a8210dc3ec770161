import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from 'node:crypto';
import { SealBroken } from './custody.js';

const ALGORITHM = 'aes-256-gcm';
/** The first byte: which layout follows. */
const LAYOUT = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Layout byte, nonce, ciphertext, tag. `boundTo` is authenticated and not stored: opening with another one fails, so a
 * sealed value cannot be moved. Random nonces are safe for 2^32 values under one key.
 */
export function seal(key: KeyObject, boundTo: string, plaintext: Buffer): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(boundTo, 'utf8'));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([Buffer.of(LAYOUT), nonce, ciphertext, cipher.getAuthTag()]);
}

/** The plaintext; the caller overwrites it after use. Throws SealBroken, without saying which part was wrong. */
export function open(key: KeyObject, boundTo: string, sealed: Buffer): Buffer {
  if (sealed.length < 1 + NONCE_BYTES + TAG_BYTES || sealed[0] !== LAYOUT) {
    throw new SealBroken('the sealed value has no known layout');
  }
  const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(boundTo, 'utf8'))
    .setAuthTag(sealed.subarray(-TAG_BYTES));
  // All of it at once, since GCM keeps nothing back; `final` says whether it may be believed.
  const plaintext = decipher.update(sealed.subarray(1 + NONCE_BYTES, -TAG_BYTES));
  try {
    decipher.final();
    return plaintext;
  } catch {
    plaintext.fill(0);
    throw new SealBroken('the seal does not open: tampered with, moved, or sealed with another key');
  }
}
