import { canonicalRequest } from './canonical-request.js';
import type { Mechanism } from './canonical-query.js';
import type { CredentialScope } from './credential-scope.js';
import type { Examined } from './examine.js';
import { payloadHash } from './payload-hash.js';
import type { PayloadMode } from './payload-mode.js';
import { refuse } from './refusal.js';
import type { Refused } from './refusal.js';
import type { RegionSet } from './region-set.js';
import { isProven } from './signature-key.js';
import type { SignatureKey } from './signature-key.js';
import type { SessionIdentity } from './session-token.js';
import type { SigningTime } from './signing-time.js';
import { examinedStringToSign } from './string-to-sign.js';
import type { Algorithm } from './algorithm.js';

/** A request whose signature was verified. */
export interface Accepted extends SigningTime {
  readonly verdict: 'accepted';
  readonly algorithm: Algorithm;
  readonly accessKeyId: string;
  /** Temporary credentials only: whom they stand for. */
  readonly session?: SessionIdentity;
  /** Where the signature was used. */
  readonly scope: CredentialScope;
  /** ECDSA only: where else it is good. */
  readonly regionSet?: RegionSet;
  readonly mechanism: Mechanism | 'post-form';
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
export function concludeRequest(examined: Examined, key: SignatureKey, bodySha256?: string): Accepted | Refused {
  const hash = payloadHash(examined.payload, bodySha256);
  if (hash === undefined) return refuse('payload-mode-refused', 'the body was not hashed');
  const { algorithm, accessKeyId, session, scope, regionSet, mechanism } = examined;
  const canonical = canonicalRequest(examined.request, hash);
  const text = examinedStringToSign(examined, canonical);
  if (!isProven(algorithm, key, text, examined.signature)) {
    const refused = refuse('signature-mismatch');
    const description = { canonicalRequest: canonical, stringToSign: text };
    return examined.describesMismatch ? { ...refused, description } : refused;
  }
  const { signedAt, expiresAt, payload, signedHeaders } = examined;
  const bodyCounts = bodySha256 !== undefined && (payload.kind === 'exact' || payload.kind === 'body');
  if (bodyCounts && bodySha256 !== hash) return refuse('payload-hash-mismatch');
  return {
    verdict: 'accepted',
    algorithm,
    accessKeyId,
    ...(session && { session }),
    scope,
    ...(regionSet && { regionSet }),
    mechanism,
    signedAt,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    payload,
    ...(bodyCounts ? { payloadSha256: bodySha256 } : {}),
    signedHeaders,
  };
}
