import { createHash } from 'node:crypto';
import { PAYLOAD_TOKENS } from './payload-mode.js';
import type { PayloadMode } from './payload-mode.js';

/** The SHA-256 of a body of no bytes, in hex. */
export const EMPTY_BODY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** The SHA-256 of a body, in lower-case hex. */
export function sha256Hex(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex');
}

/** The last line of the canonical request; undefined when the mode needs the body's hash and none was given. */
export function payloadHash(mode: PayloadMode, bodySha256: string | undefined): string | undefined {
  if (mode.kind === 'exact') return mode.sha256;
  return mode.kind === 'body' ? bodySha256 : PAYLOAD_TOKENS[mode.kind];
}
