import { timingSafeEqual } from 'node:crypto';
import { isHexDigest } from './hex-digest.js';
import { macHexWithKSigning } from './key-ladder.js';
import type { KSigning } from './key-ladder.js';

const HEX_DIGITS = 64;

// Both sides of the comparison under way, as text; nothing here outlives it.
const sides = Buffer.alloc(2 * HEX_DIGITS);
const expectedSide = sides.subarray(0, HEX_DIGITS);
const presentedSide = sides.subarray(HEX_DIGITS);

/** 64 lower-case hex digits. One spelling only: a signature with several would pass a list of seen ones. */
export function isSignature(text: string): boolean {
  return isHexDigest(text);
}

/** Step 4 of the specification: the signature of a string to sign, in hex. Verifiers use signatureMatches instead. */
export function signatureOf(key: KSigning, stringToSign: string): string {
  return macHexWithKSigning(key, stringToSign);
}

/** Compares in constant time, and lets the expected signature leave in no form. */
export function signatureMatches(key: KSigning, stringToSign: string, presented: string): boolean {
  if (presented.length !== HEX_DIGITS) return false;
  // In UTF-8 no other text has the bytes of these digits.
  sides.write(macHexWithKSigning(key, stringToSign) + presented, 'utf8');
  const areEqual = timingSafeEqual(expectedSide, presentedSide);
  sides.fill(0);
  return areEqual;
}
