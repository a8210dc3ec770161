import { parseAlgorithm } from '../algorithm.js';
import { parseCredential } from '../credential-scope.js';
import type { CredentialScope } from '../credential-scope.js';
import type { VerificationPolicy } from '../policy.js';
import { isRefused, refuse } from '../refusal.js';
import type { Refused } from '../refusal.js';
import { admitSessionToken } from '../session-token.js';
import type { PresentedToken } from '../session-token.js';
import { isSignature } from '../signature.js';
import { checkScopeDate } from '../signing-time.js';
import type { SigningTime } from '../signing-time.js';
import type { PostForm } from './form-fields.js';
import { judgeForm } from './judge-form.js';
import type { FileLength } from './judge-form.js';
import { parsePostPolicy } from './parse-post-policy.js';
import type { PostPolicy } from './parse-post-policy.js';

const examined: unique symbol = Symbol('examined');

/** A form that passed every step that needs no key. Only examinePostForm makes one. */
export interface ExaminedPostForm extends Required<SigningTime>, PresentedToken {
  readonly verdict: 'examined';
  readonly algorithm: 'AWS4-HMAC-SHA256';
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  /** As presented; proven by concludePostForm only. */
  readonly signature: string;
  /** The field as it came: what is signed. */
  readonly policyText: string;
  readonly fileLength: FileLength;
  readonly [examined]: true;
}

const NEEDED = [
  'key',
  'policy',
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-signature',
] as const satisfies readonly string[];

/**
 * Every step that needs the fields and no key, in this order; the first that fails gives the reason.
 *  1. the fields of a signature are there, and well formed
 *  2. the scope's date is the day of x-amz-date, in the window of days; region and service are ours
 *  3. a session token is accepted
 *  4. the policy is well formed, has not expired, and does not live too long
 *  5. every field is covered by the policy, and meets all conditions
 *
 * `bucket` is the one that the request is sent to; `now` is in epoch milliseconds.
 */
export function examinePostForm(
  form: PostForm,
  bucket: string,
  policy: VerificationPolicy,
  now: number,
): ExaminedPostForm | Refused {
  const missing = NEEDED.find((name) => (form.fields.get(name) ?? '') === '');
  if (missing !== undefined) return refuse('missing-form-field', missing);
  const field = (name: (typeof NEEDED)[number]): string => form.fields.get(name) ?? '';
  // Verifiers of a policy under a public key are unknown to clients: no SDK makes one.
  const algorithm = parseAlgorithm(field('x-amz-algorithm'));
  if (algorithm !== 'AWS4-HMAC-SHA256' || !policy.algorithms.has(algorithm)) {
    return refuse('unsupported-algorithm', algorithm);
  }
  const credential = parseCredential(field('x-amz-credential'));
  if (isRefused(credential)) return credential;
  const { accessKeyId, scope } = credential;
  const signature = field('x-amz-signature');
  if (!isSignature(signature)) return refuse('malformed-signature');

  const signed = checkScopeDate(field('x-amz-date'), scope, policy, now);
  if (isRefused(signed)) return signed;
  if (scope.region !== policy.region) return refuse('wrong-region');
  if (scope.service !== policy.service) return refuse('wrong-service');
  // A field like any other: what the policy does not speak of is refused below.
  const token = admitSessionToken(accessKeyId, form.fields.get('x-amz-security-token'), policy);
  if (isRefused(token)) return token;

  const policyText = field('policy');
  const postPolicy = parsePostPolicy(policyText);
  if (isRefused(postPolicy)) return postPolicy;
  const tooLate = checkLife(signed.signedAt, postPolicy, policy, now);
  if (tooLate) return tooLate;
  const fileLength = judgeForm(form, bucket, postPolicy);
  if (isRefused(fileLength)) return fileLength;
  return {
    verdict: 'examined',
    algorithm,
    accessKeyId,
    scope,
    signedAt: signed.signedAt,
    expiresAt: postPolicy.expiresAt,
    signature,
    ...token,
    policyText,
    fileLength,
    [examined]: true,
  };
}

// Each condition says what is accepted: a NaN, from a broken clock or policy, then refuses instead of passing.
function checkLife(
  signedAt: number,
  { expiresAt }: PostPolicy,
  { postForms, clockSkewSeconds }: VerificationPolicy,
  now: number,
): Refused | undefined {
  if (postForms === undefined) return refuse('missing-authentication');
  if (!(expiresAt - signedAt <= postForms.longestSeconds * 1000)) return refuse('post-policy-lives-too-long');
  if (!(signedAt - now <= clockSkewSeconds * 1000)) return refuse('post-policy-not-yet-valid');
  return now < expiresAt ? undefined : refuse('post-policy-expired');
}
