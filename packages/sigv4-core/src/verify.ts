import { concludeRequest } from './conclude.js';
import type { Accepted } from './accepted.js';
import { examineRequest } from './examine.js';
import type { Examined } from './examined.js';
import type { KeyLookup } from './key-source.js';
import type { VerificationPolicy } from './policy.js';
import { isRefused, refuse } from './refusal.js';
import type { Refused } from './refusal.js';
import type { RequestHead } from './request-head.js';
import { ofSession } from './session-token.js';
import type { SignatureKey } from './signature-key.js';

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
  const { accessKeyId, scope, algorithm, sessionToken } = examined;
  const finding = await lookupKey(accessKeyId, scope, algorithm, sessionToken);
  if (!finding.found) return refuse(finding.reason);
  const concluded = await conclude(ofSession(examined, finding.session), finding.key, bodySha256);
  if (isRefused(concluded)) return concluded;
  // The body may have taken its time: what was revoked meanwhile is not accepted any more.
  const reason = finding.objection?.();
  return reason === undefined ? concluded : refuse(reason);
}

async function conclude(
  examined: Examined,
  key: SignatureKey,
  bodySha256: VerificationInputs['bodySha256'],
): Promise<Accepted | Refused> {
  if (examined.payload.kind === 'body') return concludeRequest(examined, key, await bodySha256?.());
  // A stated hash is enough to check the signature, so that nobody makes us read a body with a made-up signature.
  const accepted = concludeRequest(examined, key);
  if (isRefused(accepted) || accepted.payload.kind !== 'exact' || bodySha256 === undefined) return accepted;
  const payloadSha256 = await bodySha256();
  return payloadSha256 === accepted.payload.sha256 ? { ...accepted, payloadSha256 } : refuse('payload-hash-mismatch');
}
