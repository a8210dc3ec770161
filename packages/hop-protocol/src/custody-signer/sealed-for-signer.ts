import { CompactEncrypt } from 'jose';
import { z } from 'zod';
import type { SignerPublicKey } from './signer-key.js';

/** What a secret is bound to. */
export interface BoundTo {
  readonly accessKeyId: string;
  readonly version: number;
}

const ALGORITHM = 'ECDH-ES';
export const ENCRYPTION = 'A256GCM';

const [NONCE_BYTES, TAG_BYTES] = [12, 16];

const head = z.strictObject({
  alg: z.literal(ALGORITHM),
  enc: z.literal(ENCRYPTION),
  kid: z.string(),
  epk: z.strictObject({ kty: z.literal('OKP'), crv: z.literal('X25519'), x: z.string() }),
  accessKeyId: z.string(),
  version: z.number(),
});

/** What a seal says of itself; all of it is authenticated. `kid`: the id of the signer key that opens it. */
export type SignerSealHead = z.infer<typeof head>;

/** The parts of a seal as they are written, and what its head says. */
export interface SignerSeal {
  readonly head: SignerSealHead;
  readonly encodedHead: string;
  readonly nonce: Buffer;
  readonly ciphertext: Buffer;
  readonly tag: Buffer;
}

/**
 * A JWE (RFC 7516), compact: ECDH-ES with X25519, A256GCM. The key pair of one side is made for this one seal, so that
 * whoever seals cannot open it again. What it is bound to stands in the protected header.
 */
export function sealForSigner(signer: SignerPublicKey, to: BoundTo, plaintext: Uint8Array): Promise<string> {
  const { accessKeyId, version } = to;
  return new CompactEncrypt(plaintext)
    .setProtectedHeader({ alg: ALGORITHM, enc: ENCRYPTION, kid: signer.id, accessKeyId, version })
    .encrypt(signer.key);
}

/** Undefined for what is no seal. Nothing that it says is proven until the seal was opened. */
export function readSignerSeal(sealed: string): SignerSeal | undefined {
  const parts = sealed.split('.');
  const decoded = parts.map((part) => Buffer.from(part, 'base64url'));
  // Base64url has several spellings of some bytes, and a seal is to have one.
  if (decoded.some((bytes, place) => bytes.toString('base64url') !== parts[place])) return undefined;
  const [encodedHead = ''] = parts;
  const [headBytes, encryptedKey, nonce, ciphertext, tag] = decoded;
  if (parts.length !== 5 || !headBytes || encryptedKey?.length !== 0 || !ciphertext) return undefined;
  if (nonce?.length !== NONCE_BYTES || tag?.length !== TAG_BYTES) return undefined;
  const parsed = head.safeParse(parseJson(headBytes.toString('utf8')));
  return parsed.success ? { head: parsed.data, encodedHead, nonce, ciphertext, tag } : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
