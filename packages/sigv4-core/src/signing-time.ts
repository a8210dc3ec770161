import { parseAmzDate } from './amz-date.js';
import type { MultiRegionScope } from './credential-scope.js';
import { LONGEST_PRESIGNED_SECONDS } from './policy.js';
import type { VerificationPolicy } from './policy.js';
import { refuse } from './refusal.js';
import type { Refused } from './refusal.js';

/** When a request was signed, and until when it holds; epoch milliseconds. */
export interface SigningTime {
  readonly signedAt: number;
  /** Presigned only; at this instant the URL holds no more. */
  readonly expiresAt?: number;
}

const WHOLE_SECONDS = /^[1-9][0-9]*$/;

/**
 * The date of the scope is the UTC day of x-amz-date, and keys are held for it. Else an old day's key would sign today,
 * and revoking by date would mean nothing.
 */
export function checkScopeDate(
  amzDate: string,
  scope: MultiRegionScope,
  policy: VerificationPolicy,
  now: number,
): Pick<SigningTime, 'signedAt'> | Refused {
  const signed = parseAmzDate(amzDate);
  if (signed === undefined) return refuse('malformed-date');
  if (signed.date !== scope.date) return refuse('scope-date-mismatch');
  if (!policy.acceptsDate(scope.date, now)) return refuse('date-outside-window');
  return { signedAt: signed.at };
}

// Below, each condition says what is accepted: a NaN, from a broken clock or policy, then refuses instead of passing.

/** Header authentication: x-amz-date is within the clock skew of now. */
export function checkFreshness(signedAt: number, policy: VerificationPolicy, now: number): Refused | undefined {
  const skewMs = policy.clockSkewSeconds * 1000;
  if (!(signedAt - now <= skewMs)) return refuse('request-in-future');
  if (!(now - signedAt <= skewMs)) return refuse('request-too-old');
  return undefined;
}

/** Presigned: X-Amz-Expires is allowed, and now lies between the signing, less the clock skew, and the expiry. */
export function checkExpiry(
  signedAt: number,
  expires: string | undefined,
  policy: VerificationPolicy,
  now: number,
): Required<SigningTime> | Refused {
  if (policy.presigned === 'refused') return refuse('presigned-refused');
  if (expires === undefined || !WHOLE_SECONDS.test(expires)) return refuse('malformed-expires');
  const seconds = Number(expires);
  const longest = Math.min(policy.presigned.longestSeconds, LONGEST_PRESIGNED_SECONDS);
  if (!(seconds <= longest)) return refuse('expires-too-long');
  const expiresAt = signedAt + seconds * 1000;
  if (!(signedAt - now <= policy.clockSkewSeconds * 1000)) return refuse('presigned-not-yet-valid');
  if (!(now < expiresAt)) return refuse('presigned-expired');
  return { signedAt, expiresAt };
}
