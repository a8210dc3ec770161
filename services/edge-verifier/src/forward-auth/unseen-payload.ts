import type { Refusal } from '@sigv4-keyd/sigv4-answers';
import {
  concludeRequest,
  EMPTY_BODY_SHA256,
  isRefused,
  type Accepted,
  type Examined,
  type SignatureKey,
} from '@sigv4-keyd/sigv4-core';
import { UNSIGNED_PAYLOAD } from '../identity-headers.js';

export interface UnseenPayloadRules {
  /** What becomes of a signed body's hash, which cannot be compared here. */
  readonly bodies: 'refused' | 'declared';
  readonly unsignedPayload: boolean;
}

export interface Vouched {
  readonly accepted: Accepted;
  /** What the body's SHA-256 has to be, for the upstream to compare; or UNSIGNED-PAYLOAD. */
  readonly payloadSha256: string;
}

/** The last steps where only the front sees the body. */
export function verifyUnseenPayload(
  examined: Examined,
  key: SignatureKey,
  hasBody: boolean,
  rules: UnseenPayloadRules,
): Vouched | Refusal {
  const expected = expectedPayload(examined, hasBody, rules);
  if (typeof expected === 'object') return expected;
  const accepted = concludeRequest(examined, key, examined.payload.kind === 'body' ? EMPTY_BODY_SHA256 : undefined);
  return isRefused(accepted) ? accepted : { accepted, payloadSha256: expected };
}

function expectedPayload({ payload }: Examined, hasBody: boolean, rules: UnseenPayloadRules): string | Refusal {
  switch (payload.kind) {
    case 'exact':
      if (payload.sha256 === EMPTY_BODY_SHA256) return hasBody ? { reason: 'payload-hash-mismatch' } : payload.sha256;
      return rules.bodies === 'declared' ? payload.sha256 : { reason: 'body-not-seen' };
    case 'body':
      return hasBody ? { reason: 'body-not-seen' } : EMPTY_BODY_SHA256;
    case 'unsigned':
      if (!hasBody) return EMPTY_BODY_SHA256;
      return rules.unsignedPayload ? UNSIGNED_PAYLOAD : { reason: 'payload-mode-refused', detail: 'unsigned' };
    case 'streaming-signed':
    case 'streaming-signed-trailer':
    case 'streaming-unsigned-trailer':
      // Whoever has no key cannot verify a chunk: no declared hash stands for them, as it does for an exact body.
      return { reason: 'body-not-seen' };
    case 'streaming-events':
    case 'streaming-ecdsa':
    case 'streaming-ecdsa-trailer':
      return { reason: 'payload-mode-refused', detail: payload.kind };
  }
}
