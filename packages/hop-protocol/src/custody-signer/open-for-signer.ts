import {
  createDecipheriv,
  createHash,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  type KeyObject,
} from 'node:crypto';
import { ENCRYPTION, readSignerSeal, type BoundTo, type SignerSeal } from './sealed-for-signer.js';
import type { SignerPrivateKey } from './signer-key.js';

/**
 * The plaintext, which the caller overwrites; undefined where it does not open for this name with these keys. What the
 * jose library opens as well, for a seventh of the time: masters have millions of seals opened on a day.
 */
export function openForSigner(keys: readonly SignerPrivateKey[], to: BoundTo, sealed: string): Buffer | undefined {
  const seal = readSignerSeal(sealed);
  if (seal?.head.accessKeyId !== to.accessKeyId || seal.head.version !== to.version) return undefined;
  const key = keys.find(({ id }) => id === seal.head.kid);
  if (!key) return undefined;
  let plaintext = Buffer.alloc(0);
  try {
    const decipher = createDecipheriv('aes-256-gcm', contentKey(key, seal), seal.nonce)
      .setAAD(Buffer.from(seal.encodedHead, 'ascii'))
      .setAuthTag(seal.tag);
    // All of it at once, since GCM keeps nothing back; `final` says whether it may be believed.
    plaintext = decipher.update(seal.ciphertext);
    decipher.final();
    return plaintext;
  } catch {
    // A public half that is none, or of small order, is refused by OpenSSL, anything else by the tag.
    plaintext.fill(0);
    return undefined;
  }
}

/** RFC 7518, 4.6.2: one round of the Concat KDF makes the key of A256GCM. The header names no parties: it is closed. */
function contentKey({ privateKey }: SignerPrivateKey, { head: { epk } }: SignerSeal): KeyObject {
  const shared = diffieHellman({ privateKey, publicKey: createPublicKey({ key: epk, format: 'jwk' }) });
  const key = createHash('sha256').update(FIRST_ROUND).update(shared).update(OTHER_INFO).digest();
  try {
    return createSecretKey(key);
  } finally {
    shared.fill(0);
    key.fill(0);
  }
}

const FIRST_ROUND = Buffer.of(0, 0, 0, 1);
const NO_PARTIES = Buffer.alloc(2 * 4);
const KEY_BITS = Buffer.of(0, 0, 1, 0);
const OTHER_INFO = Buffer.concat([
  Buffer.of(0, 0, 0, ENCRYPTION.length),
  Buffer.from(ENCRYPTION, 'ascii'),
  NO_PARTIES,
  KEY_BITS,
]);
