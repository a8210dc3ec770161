import { canonicalRequest } from './canonical-request.js';
import type { Description } from './description.js';
import type { Examined } from './examined.js';
import { payloadHash } from './payload-hash.js';
import { refuse } from './refusal.js';
import type { Refused } from './refusal.js';
import { examinedStringToSign } from './string-to-sign.js';

/**
 * For finding out why one's own request does not verify. The canonical request holds the signed headers, so show it to
 * the sender only; a signature it never holds.
 */
export function describeRequest(examined: Examined, bodySha256?: string): Description | Refused {
  const hash = payloadHash(examined.payload, bodySha256);
  if (hash === undefined) return refuse('payload-mode-refused', 'the body was not hashed');
  const canonical = canonicalRequest(examined.request, hash);
  return { canonicalRequest: canonical, stringToSign: examinedStringToSign(examined, canonical) };
}
