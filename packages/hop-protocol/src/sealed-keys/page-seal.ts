import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { bytesApart } from '@sigv4-keyd/sigv4-core';
import { WrongStream } from '../day-stream/frame.js';

// A sealed page: the length of its entries (4 bytes), the entries, their keys encrypted, the tag. The entries are not
// secret, and are proven along with the keys: no key can be moved to another access key, or page.
const LENGTH_BYTES = 4;
const TAG_BYTES = 16;
const NONCE_BYTES = 12;
const CIPHER = 'aes-256-gcm';
/** Keys are decrypted so many bytes at a time. */
const PIECE = 32;

/** Seals the pages of one answer, in their order. The key is of this answer alone, so that a count makes each nonce. */
export class PageSealer {
  readonly #key: KeyObject;
  #pages = 0;

  constructor(key: KeyObject) {
    this.#key = key;
  }

  /** The caller keeps both, and wipes the keys. */
  seal(entries: Buffer, keys: Buffer): Buffer {
    const cipher = createCipheriv(CIPHER, this.#key, nonceOf(this.#pages));
    this.#pages += 1;
    cipher.setAAD(entries);
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32BE(entries.length);
    return Buffer.concat([length, entries, cipher.update(keys), cipher.final(), cipher.getAuthTag()]);
  }
}

/** Opens the pages of one answer, in their order. */
export class PageOpener {
  readonly #key: KeyObject;
  #pages = 0;

  constructor(key: KeyObject) {
    this.#key = key;
  }

  /** `entries` is a view of the page; `keys` is the caller's, who wipes them. Throws WrongStream. */
  open(page: Buffer): { readonly entries: Buffer; readonly keys: Buffer } {
    if (page.length < LENGTH_BYTES + TAG_BYTES) throw new WrongStream('a sealed page that is cut');
    const keysAt = LENGTH_BYTES + page.readUInt32BE();
    const tagAt = page.length - TAG_BYTES;
    if (keysAt > tagAt) throw new WrongStream('entries that end beyond their page');
    const entries = page.subarray(LENGTH_BYTES, keysAt);
    const decipher = createDecipheriv(CIPHER, this.#key, nonceOf(this.#pages), { authTagLength: TAG_BYTES });
    this.#pages += 1;
    decipher.setAAD(entries);
    decipher.setAuthTag(page.subarray(tagAt));
    const keys = bytesApart(tagAt - keysAt);
    // Node.js may copy what it has decrypted once more: in pieces of one size each takes the place of the one before.
    for (let at = 0; at < keys.length; at += PIECE) {
      const piece = decipher.update(page.subarray(keysAt + at, Math.min(keysAt + at + PIECE, tagAt)));
      piece.copy(keys, at);
      piece.fill(0);
    }
    try {
      decipher.final();
    } catch {
      keys.fill(0);
      throw new WrongStream('a page that was not sealed to us, or was changed');
    }
    return { entries, keys };
  }
}

function nonceOf(page: number): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce.writeUIntBE(page, NONCE_BYTES - 6, 6);
  return nonce;
}
