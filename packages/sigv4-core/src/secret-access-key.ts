import { bytesApart } from './bytes-apart.js';

/** Text, or its UTF-8 bytes: a string stays in memory until it is collected, bytes until their owner wipes them. */
export type SecretAccessKey = string | Uint8Array;

/** The bytes of prefix and secret. The caller wipes them. Throws RangeError for an empty secret. */
export function prefixedSecret(prefix: string, secret: SecretAccessKey): Buffer {
  requireSecret(secret);
  const length = typeof secret === 'string' ? Buffer.byteLength(secret) : secret.length;
  const bytes = bytesApart(prefix.length + length);
  bytes.write(prefix, 'latin1');
  if (typeof secret === 'string') bytes.write(secret, prefix.length, 'utf8');
  else bytes.set(secret, prefix.length);
  return bytes;
}

/** Throws RangeError for an empty secret: anyone could derive its keys. */
export function requireSecret(secret: SecretAccessKey): void {
  if (secret.length === 0) throw new RangeError('the secret access key is empty: give the key that was issued');
}
