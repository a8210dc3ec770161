import { createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { readText } from './folder-layout.js';
import { PkiError } from './pki-error.js';

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const generate = promisify(generateKeyPair);
const SMALLEST_RSA_BITS = 2048;
const CURVES_OF_TLS13: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

export function newKeyPair(): Promise<KeyPair> {
  return generate('ec', { namedCurve: 'prime256v1' });
}

export function privateKeyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** @throws PkiError */
export async function readPrivateKey(file: string): Promise<KeyObject> {
  const pem = await readText(file);
  try {
    return createPrivateKey(pem);
  } catch {
    // Without the cause: what a parser says of a key may quote it.
    throw new PkiError('malformed', `${file} holds no private key that can be read without a passphrase`);
  }
}

/**
 * Which keys of others we certify: what TLS 1.3 can sign with, at a strength of 112 bits and more.
 * @throws PkiError
 */
export function checkPublicKey(key: KeyObject): void {
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  const type = key.asymmetricKeyType ?? 'unknown';
  if (type === 'rsa' && modulusLength < SMALLEST_RSA_BITS) {
    throw new PkiError(
      'weak-key',
      `an RSA key of ${modulusLength} bits is too short: make one on P-256, or of 2048 bits`,
    );
  }
  if (type === 'ed25519' || type === 'rsa' || (type === 'ec' && CURVES_OF_TLS13.has(namedCurve))) return;
  throw new PkiError('unsupported-key', `keys of type ${type} ${namedCurve} are not accepted: make one on P-256`);
}
