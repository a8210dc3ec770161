import type { Algorithm } from './algorithm.js';
import type { EcdsaPublicKey } from './ecdsa-key-pair.js';
import { ecdsaSignatureMatches } from './ecdsa-signature.js';
import type { KSigning } from './key-ladder.js';
import { signatureMatches } from './signature.js';

/** What a signature is proven with: the key that made it, or its public half. */
export type SignatureKey = KSigning | EcdsaPublicKey;

/** Whether the key's owner signed the text. A key of the other algorithm proves nothing. */
export function isProven(algorithm: Algorithm, key: SignatureKey, stringToSign: string, presented: string): boolean {
  switch (algorithm) {
    case 'AWS4-HMAC-SHA256':
      return key.rung === 'kSigning' && signatureMatches(key, stringToSign, presented);
    case 'AWS4-ECDSA-P256-SHA256':
      return key.rung === 'ecdsaPublicKey' && ecdsaSignatureMatches(key, stringToSign, presented);
  }
}
