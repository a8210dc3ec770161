import { signWithEcdsa, verifyWithEcdsa } from './ecdsa-key-pair.js';
import type { EcdsaPrivateKey, EcdsaPublicKey } from './ecdsa-key-pair.js';

const HEX = /^(?:[0-9a-f]{2}){8,72}$/;
const SEQUENCE = 0x30;
const INTEGER = 0x02;
const LONGEST_INTEGER = 33;

/**
 * True for lower-case hex of the one DER form of r and s: lengths in their short form, integers positive and without
 * needless zeros, nothing after them. Two signatures of one text then differ in r or s, not in spelling.
 *
 * Whoever has (r, s) can write (r, n - s), which is as good, and signers send either: a signature of this algorithm
 * names no request, and nobody may count on it to find a request that was seen before.
 */
export function isEcdsaSignature(text: string): boolean {
  if (!HEX.test(text)) return false;
  const der = Buffer.from(text, 'hex');
  if (der[0] !== SEQUENCE || der[1] !== der.length - 2) return false;
  const afterR = endOfInteger(der, 2);
  return afterR !== undefined && endOfInteger(der, afterR) === der.length;
}

/** Signs a string to sign: DER in hex. */
export function ecdsaSignatureOf(key: EcdsaPrivateKey, stringToSign: string): string {
  return signWithEcdsa(key, stringToSign).toString('hex');
}

/** Whether the signature was made by the private half of the key. */
export function ecdsaSignatureMatches(key: EcdsaPublicKey, stringToSign: string, presented: string): boolean {
  return isEcdsaSignature(presented) && verifyWithEcdsa(key, stringToSign, Buffer.from(presented, 'hex'));
}

/** Where the positive, minimal integer that begins at `start` ends; undefined when there is none. */
function endOfInteger(der: Buffer, start: number): number | undefined {
  const [tag, length = 0, first = 0, second = 0] = der.subarray(start);
  if (tag !== INTEGER || length < 1 || length > LONGEST_INTEGER) return undefined;
  const isNegative = first >= 0x80;
  const hasNeedlessZero = first === 0 && (length === 1 || second < 0x80);
  return isNegative || hasNeedlessZero ? undefined : start + 2 + length;
}
