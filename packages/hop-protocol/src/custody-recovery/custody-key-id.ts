import { hkdfSync, type KeyObject } from 'node:crypto';

const ID_BYTES = 8;

/**
 * The name of a custody key, 16 hexadecimal digits. It is derived from the key, so that it can be neither mistyped nor
 * given to two keys. 64 bits of HKDF's output tell nothing of a key of 256 random bits, and its label keeps it apart
 * from all that the key is used for.
 */
export function custodyKeyIdOf(key: KeyObject): string {
  const id = hkdfSync('sha256', key, Buffer.alloc(0), 'sigv4-keyd custody key id', ID_BYTES);
  return Buffer.from(id).toString('hex');
}
