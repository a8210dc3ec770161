import { compactDecrypt, CompactEncrypt, errors } from 'jose';
import { z } from 'zod';
import type { SignerPrivateKey, SignerPublicKey } from './signer-key.js';

/** What a secret is bound to. */
export interface BoundTo {
  readonly accessKeyId: string;
  readonly version: number;
}

/** What a seal says of itself; all of it is authenticated. */
export interface SignerSealHead extends BoundTo {
  /** The id of the signer key that opens it. */
  readonly kid: string;
}

const ALGORITHM = 'ECDH-ES';
const ENCRYPTION = 'A256GCM';

const head = z.strictObject({
  alg: z.literal(ALGORITHM),
  enc: z.literal(ENCRYPTION),
  kid: z.string(),
  epk: z.object({ kty: z.literal('OKP'), crv: z.literal('X25519'), x: z.string() }),
  accessKeyId: z.string(),
  version: z.number(),
});

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
export function readSignerSeal(sealed: string): SignerSealHead | undefined {
  const parts = sealed.split('.');
  const [encoded = '', key] = parts;
  // Base64url has several spellings of some bytes, and a seal is to have one.
  const isCanonical = parts.every((part) => Buffer.from(part, 'base64url').toString('base64url') === part);
  if (parts.length !== 5 || key !== '' || !isCanonical) return undefined;
  const parsed = head.safeParse(parseJson(Buffer.from(encoded, 'base64url').toString('utf8')));
  if (!parsed.success) return undefined;
  const { kid, accessKeyId, version } = parsed.data;
  return { kid, accessKeyId, version };
}

/** The plaintext, which the caller overwrites; undefined where it does not open for this name with these keys. */
export async function openForSigner(
  keys: readonly SignerPrivateKey[],
  to: BoundTo,
  sealed: string,
): Promise<Uint8Array | undefined> {
  const said = readSignerSeal(sealed);
  if (said?.accessKeyId !== to.accessKeyId || said.version !== to.version) return undefined;
  const key = keys.find(({ id }) => id === said.kid);
  if (!key) return undefined;
  try {
    const { plaintext } = await compactDecrypt(sealed, key.privateKey, {
      keyManagementAlgorithms: [ALGORITHM],
      contentEncryptionAlgorithms: [ENCRYPTION],
    });
    return plaintext;
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof DOMException) return undefined;
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
