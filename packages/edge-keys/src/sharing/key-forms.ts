import { SIGNING_KEYS } from '@sigv4-keyd/hop-protocol';
import type { Algorithm } from '@sigv4-keyd/sigv4-core';
import { EDGE_PUBLIC_KEYS } from '../public-keys.js';

/**
 * How the keys that an edge verifies with are laid flat, by what they prove. They are all that leaves the process that
 * holds the edge's keys: kService, where the edge has it, stays there.
 */
export const KEY_FORMS = {
  'AWS4-HMAC-SHA256': SIGNING_KEYS,
  'AWS4-ECDSA-P256-SHA256': EDGE_PUBLIC_KEYS,
} as const satisfies Readonly<Record<Algorithm, { readonly keyBytes: number }>>;
