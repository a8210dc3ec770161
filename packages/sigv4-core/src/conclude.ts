import { acceptProven } from './accepted.js';
import type { Accepted } from './accepted.js';
import { onProven } from './examined.js';
import type { Examined } from './examined.js';
import { payloadHash } from './payload-hash.js';
import { concludeRequest as concludeByReference } from './reference/conclude.js';
import { isRefused, refuse } from './refusal.js';
import type { Refused } from './refusal.js';
import { ShapedRequest } from './shapes/shaped-request.js';
import { signatureMatches } from './signature.js';
import type { SignatureKey } from './signature-key.js';

/**
 * The steps that need the key: canonical request, string to sign, signature, and the body's hash.
 *
 * `bodySha256` (lower-case hex) is needed for the payload mode `body`. For `exact` it is compared when given; when it
 * is not, the caller compares the body with `payload.sha256` before anyone acts on it.
 */
export function concludeRequest(examined: Examined, key: SignatureKey, bodySha256?: string): Accepted | Refused {
  const { request } = examined;
  if (!(request instanceof ShapedRequest) || examined.describesMismatch) {
    const outcome = concludeByReference(examined, key, bodySha256);
    if (!isRefused(outcome)) examined[onProven]?.();
    return outcome;
  }
  const hash = payloadHash(examined.payload, bodySha256);
  if (hash === undefined) return refuse('payload-mode-refused', 'the body was not hashed');
  const isProven = key.rung === 'kSigning' && signatureMatches(key, request.stringToSign(hash), examined.signature);
  return isProven ? acceptProven(examined, hash, bodySha256) : refuse('signature-mismatch');
}
