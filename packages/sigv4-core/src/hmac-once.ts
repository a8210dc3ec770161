import { createHmac, hash } from 'node:crypto';
import { bytesApart } from './bytes-apart.js';

const BLOCK = 64;
const DIGEST = 32;
const INNER = 0x36;
const OUTER = 0x5c;
/** The longest name of a region or a service, and more than a date has. */
const LONGEST_MESSAGE = 63;

/** The outer pad, then the inner one, then the message; the inner digest takes the place of the inner pad. */
const scratch = Buffer.alloc(2 * BLOCK + 3 * LONGEST_MESSAGE);
const outerMessage = scratch.subarray(0, BLOCK + DIGEST);
/** By the length of the message in UTF-8. */
const innerMessages = Array.from({ length: LONGEST_MESSAGE + 1 }, (_, length) =>
  scratch.subarray(BLOCK, 2 * BLOCK + length),
);

/**
 * HMAC-SHA256 (RFC 2104) of a message under a key that is used once: two hashes of one call each, with no object
 * for the key and none for the HMAC. The key is `prefix` and then `key`. The caller wipes the key and the 32 bytes that
 * are returned; nothing else is left of either. The digest under the inner pad is text, which nobody can overwrite, but
 * without the key nothing follows from it; the other digest is a key of the ladder, and never text.
 */
export function hmacOnce(key: Uint8Array, message: string, prefix = ''): Buffer {
  const isShort = message.length <= LONGEST_MESSAGE && prefix.length + key.length <= BLOCK;
  const innerMessage = isShort ? innerMessages[scratch.write(message, 2 * BLOCK, 'utf8')] : undefined;
  if (innerMessage === undefined) return hmacOfAnyLength(key, message, prefix);
  putPads(prefix, key);
  scratch.write(hash('sha256', innerMessage, 'binary'), BLOCK, 'latin1');
  const digest = hash('sha256', outerMessage, 'buffer');
  scratch.fill(0);
  return digest;
}

function putPads(prefix: string, key: Uint8Array): void {
  scratch.fill(OUTER, 0, BLOCK);
  scratch.fill(INNER, BLOCK, 2 * BLOCK);
  for (let at = 0; at < prefix.length; at += 1) putByte(at, prefix.charCodeAt(at));
  for (let at = 0; at < key.length; at += 1) putByte(prefix.length + at, key[at] ?? 0);
}

function putByte(at: number, byte: number): void {
  scratch[at] = byte ^ OUTER;
  scratch[BLOCK + at] = byte ^ INNER;
}

/** A key of more than a block is hashed first, and an Hmac object knows how. */
function hmacOfAnyLength(key: Uint8Array, message: string, prefix: string): Buffer {
  const whole = bytesApart(prefix.length + key.length);
  whole.write(prefix, 'latin1');
  whole.set(key, prefix.length);
  try {
    return createHmac('sha256', whole).update(message, 'utf8').digest();
  } finally {
    whole.fill(0);
  }
}
