import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import type { OwnHalf } from '@sigv4-keyd/hop-protocol';
import { importFeedKey, type FeedKey } from '@sigv4-keyd/revocation';
import { calculateJwkThumbprint } from 'jose';

// Keys that are the same each time and guard nothing: what is made with them can be compared byte by byte.

/** PKCS #8 before the 32 bytes of a private key (RFC 8410). */
const BEFORE = { ed25519: '302e020100300506032b657004220420', x25519: '302e020100300506032b656e04220420' } as const;

export function fixedPrivateKey(kind: keyof typeof BEFORE, seed: number): KeyObject {
  const key = Buffer.concat([Buffer.from(BEFORE[kind], 'hex'), Buffer.alloc(32, seed)]);
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

export function fixedHalf(seed: number): OwnHalf {
  const privateKey = fixedPrivateKey('x25519', seed);
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

const FEED_SEEDS: Readonly<Record<FeedKey['purpose'], number>> = { revocation: 3, beacon: 5, root: 6 };

/** One a purpose. */
export async function fixedFeedKey(purpose: FeedKey['purpose']): Promise<FeedKey> {
  const {
    crv = '',
    kty = '',
    x = '',
    d = '',
  } = fixedPrivateKey('ed25519', FEED_SEEDS[purpose]).export({ format: 'jwk' });
  const kid = await calculateJwkThumbprint({ crv, kty, x });
  return importFeedKey({ crv, kty, x, d, kid, alg: 'EdDSA', use: 'sig', keyd_purpose: purpose });
}
