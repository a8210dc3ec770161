import type { Accepted } from '../accepted.js';
import { refuse } from '../refusal.js';
import type { Refused } from '../refusal.js';
import { isProven } from '../signature-key.js';
import type { SignatureKey } from '../signature-key.js';
import type { ExaminedPostForm } from './examine-post-form.js';
import type { FileLength } from './judge-form.js';

/**
 * The step that needs the key: the signature of the policy, whose own text is the string to sign. Nothing signs the
 * file; its length is left to be checked with checkFileLength.
 */
export function concludePostForm(examined: ExaminedPostForm, key: SignatureKey): Accepted | Refused {
  const { algorithm, accessKeyId, session, scope, signedAt, expiresAt, policyText, signature } = examined;
  if (!isProven(algorithm, key, policyText, signature)) return refuse('signature-mismatch');
  return {
    verdict: 'accepted',
    algorithm,
    accessKeyId,
    ...(session && { session }),
    scope,
    mechanism: 'post-form',
    signedAt,
    expiresAt,
    payload: { kind: 'unsigned' },
    signedHeaders: [],
  };
}

/** Whether the policy allows a file of this many bytes; with `isWhole: false`, of this many and any more. */
export function checkFileLength(
  length: number,
  { least, most }: FileLength,
  { isWhole }: { readonly isWhole: boolean },
): Refused | undefined {
  if (!(length <= most)) return refuse('file-too-large');
  return !isWhole || length >= least ? undefined : refuse('file-too-small');
}
