import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

/** Bytes of either half of an X25519 key pair. */
export const RECOVERY_KEY_BYTES = 32;

/** What RFC 8410 puts before the 32 bytes of a private and of a public X25519 key in DER. */
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex');
const SPKI = Buffer.from('302a300506032b656e032100', 'hex');

/** The public half of the recovery key: wraps custody keys, and can open nothing. */
export interface RecoveryPublicKey {
  /** 16 hexadecimal digits. */
  readonly id: string;
  readonly bytes: Buffer;
  readonly key: KeyObject;
}

export function recoveryPublicKey(bytes: Uint8Array): RecoveryPublicKey {
  const own = Buffer.from(bytes);
  const id = createHash('sha256').update('sigv4-keyd recovery key id\n').update(own).digest('hex').slice(0, 16);
  return { id, bytes: own, key: createPublicKey({ key: Buffer.concat([SPKI, own]), format: 'der', type: 'spki' }) };
}

/** Reads the public half as `keydctl custody recovery create` writes it: 32 bytes in base64. */
export function parseRecoveryPublicKey(text: string): RecoveryPublicKey | undefined {
  const bytes = Buffer.from(text.trim(), 'base64');
  if (bytes.length !== RECOVERY_KEY_BYTES || bytes.toString('base64') !== text.trim()) return undefined;
  return recoveryPublicKey(bytes);
}

/** Of the 32 bytes that the shares make; the caller overwrites them. */
export function recoveryPrivateKey(bytes: Uint8Array): KeyObject {
  const der = Buffer.concat([PKCS8, bytes]);
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } finally {
    der.fill(0);
  }
}

export function publicHalfOf(privateKey: KeyObject): RecoveryPublicKey {
  const der = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return recoveryPublicKey(der.subarray(-RECOVERY_KEY_BYTES));
}
