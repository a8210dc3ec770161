import { createPublicKey, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { z } from 'zod';
import { KEY_PURPOSES, type KeyPurpose } from './document-kinds.js';
import { publicFeedJwk, publicJwk, type FeedKey, type PublicFeedJwk } from './feed-key.js';
import { FeedError } from './feed-problem.js';
import { schemaDetail } from './schema-detail.js';

/** A public key that documents of its one purpose are checked against. */
export interface PinnedKey {
  readonly kid: string;
  readonly purpose: KeyPurpose;
  readonly publicKey: KeyObject;
}

/** The pinned keys by kid; several of one purpose while keys are rotated. */
export type PinnedKeys = ReadonlyMap<string, PinnedKey>;

/** The content of the JWKS file that verifiers pin. */
export interface FeedJwks {
  readonly keys: readonly PublicFeedJwk[];
}

const MOST_KEYS = 100;
const withPrivateMember = z.object({ keys: z.array(z.looseObject({ d: z.unknown().optional() })) });
const feedJwks = z.strictObject({ keys: z.array(publicFeedJwk).max(MOST_KEYS) });

/** The JWKS file for these keys: public members only. */
export function publicJwks(keys: Iterable<FeedKey>): FeedJwks {
  return { keys: [...keys].map(publicJwk) };
}

/**
 * Reads the JWKS file (parsed JSON) that a verifier pins. Throws FeedError `malformed-keys`, also when a purpose has no
 * key: without one, its documents would be refused for ever; or `private-key-in-public-file`.
 */
export async function pinFeedKeys(json: unknown): Promise<PinnedKeys> {
  const suspects = withPrivateMember.safeParse(json);
  if (suspects.success && suspects.data.keys.some((key) => Object.hasOwn(key, 'd'))) {
    throw new FeedError('private-key-in-public-file');
  }
  const jwks = feedJwks.safeParse(json);
  if (!jwks.success) throw new FeedError('malformed-keys', schemaDetail(jwks.error));
  const pinned = new Map<string, PinnedKey>();
  for (const { kid, kty, crv, x, keyd_purpose: purpose } of jwks.data.keys) {
    if ((await calculateJwkThumbprint({ kty, crv, x })) !== kid) {
      throw new FeedError('malformed-keys', `kid ${kid} is not the thumbprint`);
    }
    // The kid is made from the key alone, so this also refuses one key under two purposes.
    if (pinned.has(kid)) throw new FeedError('malformed-keys', `the key ${kid} stands twice`);
    pinned.set(kid, { kid, purpose, publicKey: createPublicKey({ key: { kty, crv, x }, format: 'jwk' }) });
  }
  const purposes = new Set([...pinned.values()].map(({ purpose }) => purpose));
  const missing = KEY_PURPOSES.filter((purpose) => !purposes.has(purpose));
  if (missing.length > 0) throw new FeedError('malformed-keys', `no key for the purpose ${missing.join(', ')}`);
  return pinned;
}
