import type { Algorithm } from './algorithm.js';
import type { Mechanism } from './canonical-query.js';
import type { CredentialScope } from './credential-scope.js';
import type { Examined } from './examined.js';
import type { PayloadMode } from './payload-mode.js';
import { refuse } from './refusal.js';
import type { Refused } from './refusal.js';
import type { RegionSet } from './region-set.js';
import type { SessionIdentity } from './session-token.js';
import type { SigningTime } from './signing-time.js';
import type { Writable } from './writable.js';

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

/** What is known of a request whose signature is proven; `hash` was signed as its payload's. */
export function acceptProven(examined: Examined, hash: string, bodySha256: string | undefined): Accepted | Refused {
  const { payload, session, regionSet, expiresAt } = examined;
  const bodyCounts = bodySha256 !== undefined && (payload.kind === 'exact' || payload.kind === 'body');
  if (bodyCounts && bodySha256 !== hash) return refuse('payload-hash-mismatch');
  const accepted: Writable<Accepted> = {
    verdict: 'accepted',
    algorithm: examined.algorithm,
    accessKeyId: examined.accessKeyId,
    scope: examined.scope,
    mechanism: examined.mechanism,
    signedAt: examined.signedAt,
    payload,
    signedHeaders: examined.signedHeaders,
  };
  if (session !== undefined) accepted.session = session;
  if (regionSet !== undefined) accepted.regionSet = regionSet;
  if (expiresAt !== undefined) accepted.expiresAt = expiresAt;
  if (bodyCounts) accepted.payloadSha256 = bodySha256;
  return accepted;
}
