import { timingSafeEqual } from 'node:crypto';
import { macWithKSigning } from './key-ladder.js';
import type { KSigning } from './key-ladder.js';

const SIGNATURE_HEX = /^[0-9a-f]{64}$/;

/** 64 lower-case hex digits. One spelling only: a signature with several would pass a list of seen ones. */
export function isSignature(text: string): boolean {
  return SIGNATURE_HEX.test(text);
}

/** Step 4 of the specification: the signature of a string to sign, in hex. Verifiers use signatureMatches instead. */
export function signatureOf(key: KSigning, stringToSign: string): string {
  return macWithKSigning(key, stringToSign).toString('hex');
}

/** Compares in constant time, and lets the expected signature leave in no form. */
export function signatureMatches(key: KSigning, stringToSign: string, presented: string): boolean {
  if (!isSignature(presented)) return false;
  return timingSafeEqual(macWithKSigning(key, stringToSign), Buffer.from(presented, 'hex'));
}
