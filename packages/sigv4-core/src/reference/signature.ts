import { timingSafeEqual } from 'node:crypto';
import { macWithKSigning } from '../key-ladder.js';
import type { KSigning } from '../key-ladder.js';
import { isSignature } from '../signature.js';

/** Compares in constant time. */
export function signatureMatches(key: KSigning, stringToSign: string, presented: string): boolean {
  if (!isSignature(presented)) return false;
  return timingSafeEqual(macWithKSigning(key, stringToSign), Buffer.from(presented, 'hex'));
}
