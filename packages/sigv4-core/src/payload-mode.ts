import type { ChunkedMode } from './chunked/chunked-mode.js';
import type { ChunkedPayload } from './chunked/chunked-payload.js';
import { isHexDigest } from './hex-digest.js';

/** Every value of x-amz-content-sha256 that is not a hash, by the name that the project gives to its mode. */
export const PAYLOAD_TOKENS = {
  unsigned: 'UNSIGNED-PAYLOAD',
  'streaming-signed': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'streaming-signed-trailer': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
  'streaming-unsigned-trailer': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  'streaming-events': 'STREAMING-AWS4-HMAC-SHA256-EVENTS',
  'streaming-ecdsa': 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD',
  'streaming-ecdsa-trailer': 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER',
} as const;

/** The modes that a token names. */
export type TokenMode = keyof typeof PAYLOAD_TOKENS;

/**
 * How the payload is bound to the signature.
 * - `exact`: by the SHA-256 that the request states, 64 lower-case hex digits
 * - `body`: by the SHA-256 of the body, which the request does not state; whoever verifies must hash the body
 * - `unsigned`: not at all
 * - `streaming-…`: chunk by chunk (signed), or by a checksum trailer only (unsigned)
 */
export type PayloadMode = StatedPayload | { readonly kind: 'body' } | ChunkedPayload;

/** What a value of x-amz-content-sha256 says; the modes in chunks say more in other headers. */
type StatedPayload =
  { readonly kind: 'exact'; readonly sha256: string } | { readonly kind: Exclude<TokenMode, ChunkedMode> };

/** The names of the payload modes. */
export type PayloadModeKind = PayloadMode['kind'];

const MODE_OF_TOKEN: ReadonlyMap<string, TokenMode> = new Map(
  Object.keys(PAYLOAD_TOKENS)
    .filter(isTokenMode)
    .map((mode) => [PAYLOAD_TOKENS[mode], mode]),
);

/** 64 lower-case hex digits. */
export function isSha256Hex(text: string): boolean {
  return isHexDigest(text);
}

/** Reads a value of x-amz-content-sha256; undefined when it is neither a hash nor a token of the table. */
export function parsePayloadMode(value: string): StatedPayload | { readonly kind: ChunkedMode } | undefined {
  if (isSha256Hex(value)) return { kind: 'exact', sha256: value };
  const kind = MODE_OF_TOKEN.get(value);
  return kind === undefined ? undefined : { kind };
}

function isTokenMode(text: string): text is TokenMode {
  return Object.hasOwn(PAYLOAD_TOKENS, text);
}
