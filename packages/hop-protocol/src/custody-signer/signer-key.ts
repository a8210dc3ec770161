import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { z } from 'zod';

/** The public half of a signer's key: seals secrets, and can open nothing. */
export interface SignerPublicKey {
  /** 16 hexadecimal digits, which every seal bears. */
  readonly id: string;
  readonly key: KeyObject;
}

/** The private half, which signers alone have. */
export interface SignerPrivateKey extends SignerPublicKey {
  readonly privateKey: KeyObject;
}

const x25519Bytes = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const publicMembers = {
  kty: z.literal('OKP'),
  crv: z.literal('X25519'),
  alg: z.literal('ECDH-ES'),
  use: z.literal('enc'),
  kid: z.string().regex(/^[0-9a-f]{16}$/),
  x: x25519Bytes,
};
const publicJwk = z.strictObject(publicMembers);
const privateJwk = z.strictObject({ ...publicMembers, d: x25519Bytes });

/** A JWK for a file, with its private half or without. */
export interface SignerKeyFiles {
  readonly id: string;
  readonly publicJwk: string;
  readonly privateJwk: string;
}

export function createSignerKey(): SignerKeyFiles {
  const { privateKey } = generateKeyPairSync('x25519');
  const { x, d } = z.object({ x: x25519Bytes, d: x25519Bytes }).parse(privateKey.export({ format: 'jwk' }));
  const kid = idOf(x);
  const members = { kty: 'OKP', crv: 'X25519', alg: 'ECDH-ES', use: 'enc', kid, x };
  return { id: kid, publicJwk: JSON.stringify(members), privateJwk: JSON.stringify({ ...members, d }) };
}

/** Undefined for whatever else it is; a private half too many makes it something else. */
export function parseSignerPublicKey(text: string): SignerPublicKey | undefined {
  const jwk = publicJwk.safeParse(parseJson(text));
  if (!jwk.success || jwk.data.kid !== idOf(jwk.data.x)) return undefined;
  const { kty, crv, x, kid } = jwk.data;
  return { id: kid, key: createPublicKey({ key: { kty, crv, x }, format: 'jwk' }) };
}

export function parseSignerPrivateKey(text: string): SignerPrivateKey | undefined {
  const jwk = privateJwk.safeParse(parseJson(text));
  if (!jwk.success || jwk.data.kid !== idOf(jwk.data.x)) return undefined;
  const { kty, crv, x, d, kid } = jwk.data;
  const privateKey = createPrivateKey({ key: { kty, crv, x, d }, format: 'jwk' });
  const key = createPublicKey(privateKey);
  // OpenSSL takes `d` and ignores `x`: unchecked, the file would name one key and open the seals of another.
  return key.export({ format: 'jwk' }).x === x ? { id: kid, key, privateKey } : undefined;
}

/** Derived from the key, so that it can be neither mistyped nor given to two keys. */
function idOf(x: string): string {
  return createHash('sha256').update(`sigv4-keyd signer key id\n${x}`).digest('hex').slice(0, 16);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message would quote the text.
    return undefined;
  }
}
