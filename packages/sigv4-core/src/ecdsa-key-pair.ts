import { createHmac, createPrivateKey, createPublicKey, createSecretKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { scalarFromCandidate } from './ecdsa-scalar.js';
import { OpaqueKey } from './opaque-key.js';
import { prefixedSecret, type SecretAccessKey } from './secret-access-key.js';

/** The halves of the key pair of AWS4-ECDSA-P256-SHA256. The ladder of keys has no part in it. */
type Half = 'ecdsaPrivateKey' | 'ecdsaPublicKey';

const LABEL = 'AWS4-ECDSA-P256-SHA256';
const LAST_COUNTER = 254;
const COORDINATE_BYTES = 32;

/** The bytes of a public key: x, then y. */
export const ECDSA_PUBLIC_KEY_BYTES = 2 * COORDINATE_BYTES;

/**
 * One half of a key pair, kept as the ladder keeps its keys: in a private field, so that only this file can make one
 * and no print reaches it. A public key is a class of its own, which no HMAC takes: a request that was signed with HMAC
 * under the bytes of a public key, which everyone may know, cannot be checked with that public key by mistake.
 */
class EcdsaKey<H extends Half> extends OpaqueKey<H> {
  readonly #key: KeyObject;

  private constructor(rung: H, key: KeyObject) {
    super(rung);
    this.#key = key;
  }

  static of<H extends Half>(rung: H, key: KeyObject): EcdsaKey<H> {
    return new EcdsaKey(rung, key);
  }

  static publicHalf(key: EcdsaKey<'ecdsaPrivateKey'>): EcdsaKey<'ecdsaPublicKey'> {
    return new EcdsaKey('ecdsaPublicKey', createPublicKey(key.#key));
  }

  static sign(key: EcdsaKey<'ecdsaPrivateKey'>, message: string): Buffer {
    return sign('sha256', Buffer.from(message, 'utf8'), { key: key.#key, dsaEncoding: 'der' });
  }

  static verify(key: EcdsaKey<'ecdsaPublicKey'>, message: string, signature: Uint8Array): boolean {
    return verify('sha256', Buffer.from(message, 'utf8'), { key: key.#key, dsaEncoding: 'der' }, signature);
  }

  static bytesOf(key: EcdsaKey<'ecdsaPublicKey'>): Buffer {
    // The point, uncompressed, is the end of the structure.
    return key.#key.export({ format: 'der', type: 'spki' }).subarray(-ECDSA_PUBLIC_KEY_BYTES);
  }
}

/** Signs with AWS4-ECDSA-P256-SHA256, for every region. It cannot be exported: nobody but signers needs it. */
export type EcdsaPrivateKey = EcdsaKey<'ecdsaPrivateKey'>;
/** Verifies what its private half signed, and can do nothing else. */
export type EcdsaPublicKey = EcdsaKey<'ecdsaPublicKey'>;

/**
 * The private key of an access key: the KDF in counter mode of NIST SP 800-108 with HMAC-SHA256 gives candidates until
 * one is a scalar of the curve, nearly always the first. Throws RangeError for an empty secret.
 */
export function ecdsaPrivateKey(secretAccessKey: SecretAccessKey, accessKeyId: string): EcdsaPrivateKey {
  const inputKey = prefixedSecret('AWS4A', secretAccessKey);
  const key = createSecretKey(inputKey);
  inputKey.fill(0);
  for (let counter = 1; counter <= LAST_COUNTER; counter += 1) {
    const candidate = createHmac('sha256', key).update(fixedInput(accessKeyId, counter)).digest();
    const scalar = scalarFromCandidate(candidate);
    candidate.fill(0);
    if (scalar) return privateKeyOf(scalar);
  }
  throw new RangeError('no private key can be derived of this secret access key: use another access key');
}

export function ecdsaPublicKey(key: EcdsaPrivateKey): EcdsaPublicKey {
  return EcdsaKey.publicHalf(key);
}

/** The 64 bytes of the point: x, then y. Nothing in them is secret. */
export function exportEcdsaPublicKey(key: EcdsaPublicKey): Buffer {
  return Buffer.from(EcdsaKey.bytesOf(key));
}

/** Throws RangeError unless the bytes are x and y of a point of the curve P-256. */
export function importEcdsaPublicKey(bytes: Uint8Array): EcdsaPublicKey {
  if (bytes.length !== ECDSA_PUBLIC_KEY_BYTES) throw notAPoint(`${bytes.length} bytes were given`);
  const x = Buffer.from(bytes.subarray(0, COORDINATE_BYTES)).toString('base64url');
  const y = Buffer.from(bytes.subarray(COORDINATE_BYTES)).toString('base64url');
  try {
    const key = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
    return EcdsaKey.of('ecdsaPublicKey', key);
  } catch {
    throw notAPoint('they are no point of the curve');
  }
}

/** DER. The only use of the private half. */
export function signWithEcdsa(key: EcdsaPrivateKey, message: string): Buffer {
  return EcdsaKey.sign(key, message);
}

/** The only use of the public half; `signature` is DER. */
export function verifyWithEcdsa(key: EcdsaPublicKey, message: string, signature: Uint8Array): boolean {
  return EcdsaKey.verify(key, message, signature);
}

/** [i] || label || 0x00 || context || [L] (SP 800-108, 4.1): one block of 256 bits; the context ends with a counter. */
function fixedInput(accessKeyId: string, counter: number): Buffer {
  return Buffer.concat([
    Buffer.of(0, 0, 0, 1),
    Buffer.from(LABEL, 'utf8'),
    Buffer.of(0),
    Buffer.from(accessKeyId, 'utf8'),
    Buffer.of(counter),
    Buffer.of(0, 0, 1, 0),
  ]);
}

/** RFC 5915 without the public key, which OpenSSL computes. Overwrites the scalar. */
function privateKeyOf(scalar: Buffer): EcdsaPrivateKey {
  const version = Buffer.of(0x02, 0x01, 0x01);
  const p256 = Buffer.of(0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07);
  const content = Buffer.concat([version, Buffer.of(0x04, scalar.length), scalar, p256]);
  const der = Buffer.concat([Buffer.of(0x30, content.length), content]);
  try {
    return EcdsaKey.of('ecdsaPrivateKey', createPrivateKey({ key: der, format: 'der', type: 'sec1' }));
  } finally {
    for (const bytes of [scalar, content, der]) bytes.fill(0);
  }
}

function notAPoint(what: string): RangeError {
  return new RangeError(
    `a public key is ${ECDSA_PUBLIC_KEY_BYTES} bytes, x and y of a point of P-256; ${what}: check their way here`,
  );
}
