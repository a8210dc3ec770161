import { createCipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import type { Token } from './token.js';
import { tokenHmac } from './token-hmac.js';

export const NONCE_BYTES = 16;

/** No tag is made of so short a message. */
const MESSAGE = Buffer.from('sigv4-keyd mask', 'utf8');

/**
 * AES key wrap makes the same of the same secret, and a reader of the database would see who shares one. So what it
 * made is masked. This key may leave the token: it hides nothing else.
 */
export function maskKeyOf(token: Token, binding: Buffer): KeyObject {
  const bytes = tokenHmac(token, binding, MESSAGE);
  try {
    return createSecretKey(bytes);
  } finally {
    bytes.fill(0);
  }
}

/** Puts the mask on, or takes it off. */
export function masked(key: KeyObject, nonce: Buffer, bytes: Buffer): Buffer {
  return createCipheriv('aes-256-ctr', key, nonce).update(bytes);
}
