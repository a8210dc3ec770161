import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { SealBroken } from './custody.js';
import { readableKeys, type CustodyKey, type CustodyKeys } from './custody-key.js';
import { NAMED_KEY, prefixOfKey, sealPrefix, UNNAMED_KEY } from './seal-prefix.js';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const NO_PREFIX = Buffer.alloc(0);

/**
 * Prefix (layout byte and key id), nonce, ciphertext, tag. The prefix is authenticated, and so is `boundTo`, which is
 * not stored: opening with another one fails, so a sealed value cannot be moved. Random nonces are safe for 2^32 values
 * under one key.
 */
export function seal({ id, key }: CustodyKey, boundTo: string, plaintext: Buffer): Buffer {
  const prefix = prefixOfKey(NAMED_KEY.file, id);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(authenticatedBy(prefix, boundTo));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([prefix, nonce, ciphertext, cipher.getAuthTag()]);
}

/** Where what a seal is bound to is put together, for one call at a time: no secret is ever in it. */
const authenticated = Buffer.alloc(1_024);

/** A view that is good until the next call. */
function authenticatedBy(prefix: Buffer, boundTo: string): Buffer {
  if (prefix.length + 3 * boundTo.length > authenticated.length) return Buffer.concat([prefix, Buffer.from(boundTo)]);
  authenticated.set(prefix);
  return authenticated.subarray(0, prefix.length + authenticated.write(boundTo, prefix.length, 'utf8'));
}

/** The plaintext; the caller overwrites it after use. Throws SealBroken, without saying which part was wrong. */
export function open(keys: CustodyKeys, boundTo: string, sealed: Buffer): Buffer {
  const prefix = sealPrefix(sealed);
  switch (prefix?.layout) {
    case NAMED_KEY.file: {
      const key = readableKeys(keys).find(({ id }) => id === prefix.keyId);
      if (!key) throw new SealBroken(`it is sealed with custody key ${prefix.keyId}, which is not given`);
      const plaintext = decrypt(key, authenticatedBy(prefix.bytes, boundTo), prefix.rest);
      if (plaintext) return plaintext;
      break;
    }
    case UNNAMED_KEY: {
      // From before keys had names, and not bound to one: any of them may be the one.
      for (const key of readableKeys(keys)) {
        const plaintext = decrypt(key, authenticatedBy(NO_PREFIX, boundTo), prefix.rest);
        if (plaintext) return plaintext;
      }
      break;
    }
    case NAMED_KEY.pkcs11:
      throw new SealBroken('it is sealed by a key in a PKCS#11 token, which alone opens it');
    case NAMED_KEY.external:
      throw new SealBroken('it is sealed to a signer, which alone opens it');
    case undefined:
      throw new SealBroken('the sealed value has no known layout');
  }
  throw new SealBroken('the seal does not open: tampered with, moved, or sealed with another key');
}

/** Undefined where it does not open. */
function decrypt({ key }: CustodyKey, bound: Buffer, sealed: Buffer): Buffer | undefined {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(bound)
    .setAuthTag(sealed.subarray(-TAG_BYTES));
  // All of it at once, since GCM keeps nothing back; `final` says whether it may be believed.
  const plaintext = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
  try {
    decipher.final();
    return plaintext;
  } catch {
    plaintext.fill(0);
    return undefined;
  }
}
