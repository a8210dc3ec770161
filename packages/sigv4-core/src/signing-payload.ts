import { isSha256Hex, PAYLOAD_TOKENS } from './payload-mode.js';
import type { TokenMode } from './payload-mode.js';

/**
 * How a signer binds the payload: `exact` states the body's SHA-256 (lower-case hex) in the request, `body` signs it
 * without stating it, and the others state their token.
 */
export type SigningPayload =
  { readonly kind: 'exact' | 'body'; readonly sha256: string } | { readonly kind: TokenMode };

/** The last line of the canonical request. Throws RangeError when the hash is not 64 lower-case hex digits. */
export function payloadLine(payload: SigningPayload): string {
  if (payload.kind !== 'exact' && payload.kind !== 'body') return PAYLOAD_TOKENS[payload.kind];
  if (!isSha256Hex(payload.sha256)) throw new RangeError('the payload hash is not 64 lower-case hex digits');
  return payload.sha256;
}

/** What the request says of its payload in x-amz-content-sha256; undefined when it says nothing. */
export function statedPayload(payload: SigningPayload): string | undefined {
  return payload.kind === 'body' ? undefined : payloadLine(payload);
}
