import { acceptProven } from '../accepted.js';
import type { Accepted } from '../accepted.js';
import { canonicalRequest } from '../canonical-request.js';
import { ecdsaSignatureMatches } from '../ecdsa-signature.js';
import type { Examined } from '../examined.js';
import { payloadHash } from '../payload-hash.js';
import { refuse } from '../refusal.js';
import type { Refused } from '../refusal.js';
import type { SignatureKey } from '../signature-key.js';
import { examinedStringToSign } from '../string-to-sign.js';
import { signatureMatches } from './signature.js';

/** The steps that need the key: canonical request, string to sign, signature, and the body's hash. */
export function concludeRequest(examined: Examined, key: SignatureKey, bodySha256?: string): Accepted | Refused {
  const hash = payloadHash(examined.payload, bodySha256);
  if (hash === undefined) return refuse('payload-mode-refused', 'the body was not hashed');
  const canonical = canonicalRequest(examined.request, hash);
  const text = examinedStringToSign(examined, canonical);
  if (!isProven(examined, key, text)) {
    const refused = refuse('signature-mismatch');
    const description = { canonicalRequest: canonical, stringToSign: text };
    return examined.describesMismatch ? { ...refused, description } : refused;
  }
  return acceptProven(examined, hash, bodySha256);
}

function isProven({ algorithm, signature }: Examined, key: SignatureKey, stringToSign: string): boolean {
  switch (algorithm) {
    case 'AWS4-HMAC-SHA256':
      return key.rung === 'kSigning' && signatureMatches(key, stringToSign, signature);
    case 'AWS4-ECDSA-P256-SHA256':
      return key.rung === 'ecdsaPublicKey' && ecdsaSignatureMatches(key, stringToSign, signature);
  }
}
