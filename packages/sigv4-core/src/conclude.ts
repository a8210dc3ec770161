import { canonicalRequest } from './canonical-request.js';
import type { Mechanism } from './canonical-query.js';
import type { CredentialScope } from './credential-scope.js';
import type { Examined } from './examine.js';
import type { KSigning } from './key-ladder.js';
import { payloadHash } from './payload-hash.js';
import type { PayloadMode } from './payload-mode.js';
import { refuse } from './refusal.js';
import type { Refused } from './refusal.js';
import { signatureMatches } from './signature.js';
import type { SigningTime } from './signing-time.js';
import { stringToSign } from './string-to-sign.js';

/** A request whose signature was verified. */
export interface Accepted extends SigningTime {
  readonly verdict: 'accepted';
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  readonly mechanism: Mechanism;
  readonly payload: PayloadMode;
  /** The hash of the body, present when the body itself was hashed and is what was signed. */
  readonly payloadSha256?: string;
  readonly signedHeaders: readonly string[];
}

/**
 * The steps that need the key: canonical request, string to sign, signature, and the body's hash.
 *
 * `bodySha256` (lower-case hex) is needed for the payload mode `body`. For `exact` it is compared when given; when it
 * is not, the caller compares the body with `payload.sha256` before anyone acts on it.
 */
export function concludeRequest(examined: Examined, key: KSigning, bodySha256?: string): Accepted | Refused {
  const hash = payloadHash(examined.payload, bodySha256);
  if (hash === undefined) return refuse('payload-mode-refused', 'the body was not hashed');
  const text = stringToSign(examined.amzDate, examined.scope, canonicalRequest(examined.request, hash));
  if (!signatureMatches(key, text, examined.signature)) return refuse('signature-mismatch');
  const { accessKeyId, scope, mechanism, signedAt, expiresAt, payload, signedHeaders } = examined;
  const bodyCounts = bodySha256 !== undefined && (payload.kind === 'exact' || payload.kind === 'body');
  if (bodyCounts && bodySha256 !== hash) return refuse('payload-hash-mismatch');
  return {
    verdict: 'accepted',
    accessKeyId,
    scope,
    mechanism,
    signedAt,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    payload,
    ...(bodyCounts ? { payloadSha256: bodySha256 } : {}),
    signedHeaders,
  };
}
