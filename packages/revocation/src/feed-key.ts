import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { z } from 'zod';
import { KEY_PURPOSES, type KeyPurpose } from './document-kinds.js';
import { FeedError } from './feed-problem.js';
import { schemaDetail } from './schema-detail.js';

/** A key that signs documents of one purpose. It prints no private byte; exportFeedKey alone gives them out. */
export interface FeedKey {
  readonly purpose: KeyPurpose;
  /** RFC 7638 thumbprint of the public key. */
  readonly kid: string;
  readonly privateKey: KeyObject;
}

const ed25519Bytes = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be 32 bytes, base64url');

const publicMembers = {
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  alg: z.literal('EdDSA'),
  use: z.literal('sig'),
  kid: ed25519Bytes,
  keyd_purpose: z.enum(KEY_PURPOSES),
  x: ed25519Bytes,
};

export const publicFeedJwk = z.strictObject(publicMembers);
/** A public key as it stands in a JWKS file. */
export type PublicFeedJwk = z.infer<typeof publicFeedJwk>;

export const privateFeedJwk = z.strictObject({ ...publicMembers, d: ed25519Bytes });
/** A key with its private member `d`: the content of a key file, 0600. */
export type PrivateFeedJwk = z.infer<typeof privateFeedJwk>;

export async function createFeedKey(purpose: KeyPurpose): Promise<FeedKey> {
  const { privateKey } = generateKeyPairSync('ed25519');
  return { purpose, kid: await thumbprintOf(privateKey), privateKey };
}

export function publicJwk({ purpose, kid, privateKey }: FeedKey): PublicFeedJwk {
  return { kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig', kid, keyd_purpose: purpose, x: publicX(privateKey) };
}

/** With the private member: to be written to a file that its owner alone reads, and nowhere else. */
export function exportFeedKey(key: FeedKey): PrivateFeedJwk {
  return { ...publicJwk(key), d: z.string().parse(key.privateKey.export({ format: 'jwk' }).d) };
}

/** Reads what exportFeedKey wrote, from parsed JSON. Throws FeedError `malformed-keys`. */
export async function importFeedKey(json: unknown): Promise<FeedKey> {
  const jwk = privateFeedJwk.safeParse(json);
  if (!jwk.success) throw new FeedError('malformed-keys', schemaDetail(jwk.error));
  const { kty, crv, x, d, kid, keyd_purpose: purpose } = jwk.data;
  const privateKey = createPrivateKey({ key: { kty, crv, x, d }, format: 'jwk' });
  // OpenSSL takes `d` and ignores `x`: unchecked, the file would name one public key and sign with another.
  if (publicX(privateKey) !== x) throw new FeedError('malformed-keys', 'x is not the public key of d');
  if ((await thumbprintOf(privateKey)) !== kid) throw new FeedError('malformed-keys', 'kid is not the thumbprint');
  return { purpose, kid, privateKey };
}

function publicX(privateKey: KeyObject): string {
  return z.string().parse(createPublicKey(privateKey).export({ format: 'jwk' }).x);
}

function thumbprintOf(privateKey: KeyObject): Promise<string> {
  return calculateJwkThumbprint({ kty: 'OKP', crv: 'Ed25519', x: publicX(privateKey) });
}
