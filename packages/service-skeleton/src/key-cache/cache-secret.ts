import { createPrivateKey, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

/** What the files of a key cache are sealed under. It is made anew at each start and stands in no file in the clear. */
export interface CacheSecret {
  /** Tells secrets apart without telling anything of them: 16 hex digits. */
  readonly name: string;
  readonly key: KeyObject;
}

const BYTES = 32;
const NAME_BYTES = 8;
const NO_SALT = new Uint8Array();

/**
 * The secret of an identity: HKDF-SHA256 of its private key, bound to its SPIFFE id and so to its trust domain. Who can
 * read the private key can read the cache, and nobody else; the cache tells nothing of the private key, since HKDF goes
 * one way. TLS signs with the key and never uses its bytes as a MAC key, so that the two uses do not touch.
 */
export function cacheSecretOf(privateKeyPem: Buffer, spiffeId: string): CacheSecret {
  // DER, so that the same key in another PEM form (PKCS #1, SEC1, PKCS #8, other line breaks) stays the same key.
  const privateKey = createPrivateKey(privateKeyPem).export({ format: 'der', type: 'pkcs8' });
  try {
    return secretFromBytes(derived(privateKey, NO_SALT, `sigv4-keyd key cache v1\n${spiffeId}`, BYTES));
  } finally {
    privateKey.fill(0);
  }
}

/** Takes the bytes over: they are overwritten. */
export function secretFromBytes(bytes: Buffer): CacheSecret {
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return { name: derived(key, NO_SALT, 'sigv4-keyd key cache v1\nname', NAME_BYTES).toString('hex'), key };
}

/** A key for one use, told apart by `info`; with a salt of its own each time, it is never made twice. */
export function sealingKey(secret: CacheSecret, salt: Uint8Array, info: string): KeyObject {
  const bytes = derived(secret.key, salt, info, BYTES);
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return key;
}

function derived(from: KeyObject | Buffer, salt: Uint8Array, info: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', from, salt, info, bytes));
}
