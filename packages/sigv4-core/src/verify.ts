import { concludeRequest } from './conclude.js';
import type { Accepted } from './conclude.js';
import type { CredentialScope } from './credential-scope.js';
import { examineRequest } from './examine.js';
import type { Algorithm } from './algorithm.js';
import type { VerificationPolicy } from './policy.js';
import { isRefused, refuse } from './refusal.js';
import type { Refused, RefusalReason } from './refusal.js';
import type { RequestHead } from './request-head.js';
import type { SignatureKey } from './signature-key.js';

/** The reasons for which there is no key. */
export type KeyMissingReason = Extract<
  RefusalReason,
  | 'access-key-unknown'
  | 'access-key-disabled'
  | 'access-key-expired'
  | 'access-key-not-for-scope'
  | 'scope-revoked'
  | 'keys-unavailable'
  | 'feed-stale'
>;

/** The key that proves an access key's signatures of a scope, or why there is none. */
export type KeyFinding =
  { readonly found: true; readonly key: SignatureKey } | { readonly found: false; readonly reason: KeyMissingReason };

/**
 * Finds the key that proves a signature: kSigning for HMAC, the public key for ECDSA. Asked once a request, after every
 * step that needs no key.
 */
export type KeyLookup = (
  accessKeyId: string,
  scope: CredentialScope,
  algorithm: Algorithm,
) => KeyFinding | Promise<KeyFinding>;

/** What verifying needs beside the request and the policy. */
export interface VerificationInputs {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly lookupKey: KeyLookup;
  /** Hashes the body, in lower-case hex. Asked at most once, and only for a request whose key was found. */
  readonly bodySha256?: () => Promise<string>;
}

/** Verifies a request. Rejects only when lookupKey or bodySha256 does. */
export async function verifyRequest(
  head: RequestHead,
  policy: VerificationPolicy,
  { now, lookupKey, bodySha256 }: VerificationInputs,
): Promise<Accepted | Refused> {
  const examined = examineRequest(head, policy, now);
  if (isRefused(examined)) return examined;
  const finding = await lookupKey(examined.accessKeyId, examined.scope, examined.algorithm);
  if (!finding.found) return refuse(finding.reason);
  if (examined.payload.kind === 'body') return concludeRequest(examined, finding.key, await bodySha256?.());
  // A stated hash is enough to check the signature, so that nobody makes us read a body with a made-up signature.
  const accepted = concludeRequest(examined, finding.key);
  if (isRefused(accepted) || accepted.payload.kind !== 'exact' || bodySha256 === undefined) return accepted;
  const payloadSha256 = await bodySha256();
  return payloadSha256 === accepted.payload.sha256 ? { ...accepted, payloadSha256 } : refuse('payload-hash-mismatch');
}
