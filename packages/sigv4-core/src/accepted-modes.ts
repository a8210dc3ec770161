import { isS3Service } from './path-rule.js';
import type { PayloadModeKind } from './payload-mode.js';

/** The payload modes that can be verified with HMAC keys. */
export const VERIFIABLE_MODES = [
  'exact',
  'body',
  'unsigned',
  'streaming-signed',
  'streaming-signed-trailer',
  'streaming-unsigned-trailer',
] as const satisfies readonly PayloadModeKind[];

export type VerifiableMode = (typeof VERIFIABLE_MODES)[number];

/**
 * The modes that a service accepts when nobody says otherwise: S3 what its clients send by default, which is all but
 * bodies that nothing binds to the signature; the clients of other services hash theirs.
 */
export function defaultModesOf(service: string): readonly VerifiableMode[] {
  return isS3Service(service) ? VERIFIABLE_MODES.filter((mode) => mode !== 'unsigned') : ['exact', 'body'];
}
