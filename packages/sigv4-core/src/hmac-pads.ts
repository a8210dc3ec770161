import { hash } from 'node:crypto';

const BLOCK = 64;
const DIGEST = 32;
const INNER = 0x36;
const OUTER = 0x5c;

/** The longest message, UTF-16 units; each becomes three bytes at most. */
export const LONGEST_PADDED_MESSAGE = 1024;

/**
 * Where messages are put behind their pads: the outer pad, then the inner one, then the message. The inner digest takes
 * the place of the inner pad, so that it stands right behind the outer one. Nothing here outlives a call.
 */
const scratch = Buffer.alloc(2 * BLOCK + 3 * LONGEST_PADDED_MESSAGE);
const outerMessage = scratch.subarray(0, BLOCK + DIGEST);
let innerMessage = scratch.subarray(BLOCK, 2 * BLOCK);

const forgotten = new FinalizationRegistry<Buffer>((pads) => pads.fill(0));

/**
 * A key of HMAC-SHA256 (RFC 2104), as the two blocks that its hashes begin with. Two hashes of one call each take half
 * the time of an Hmac object, which is made, fed and read in calls of their own.
 *
 * The pads are as secret as the key: whoever has one has the key. They are in no print, and are overwritten with zeros
 * when their owner is gone, as the bytes of a KeyObject are.
 */
export class HmacPads {
  readonly #pads: Buffer;

  /** `key`: at most 64 bytes; the caller wipes them. */
  constructor(key: Uint8Array) {
    // Larger than what V8 keeps in its own heap, where a collection would move it and leave a copy behind.
    const pads = Buffer.alloc(2 * BLOCK);
    for (let at = 0; at < BLOCK; at += 1) {
      const byte = key[at] ?? 0;
      pads[at] = byte ^ OUTER;
      pads[BLOCK + at] = byte ^ INNER;
    }
    this.#pads = pads;
    forgotten.register(this, pads);
  }

  /** HMAC-SHA256 of the message's UTF-8 bytes, in lower-case hex. Throws RangeError for a longer one than is said. */
  hexOf(message: string): string {
    if (message.length > LONGEST_PADDED_MESSAGE) throw new RangeError('too long a message for the pads');
    scratch.set(this.#pads);
    const length = BLOCK + scratch.write(message, 2 * BLOCK, 'utf8');
    // Nearly all messages are strings to sign of one scope, which have one length.
    if (innerMessage.length !== length) innerMessage = scratch.subarray(BLOCK, BLOCK + length);
    scratch.write(hash('sha256', innerMessage, 'binary'), BLOCK, 'latin1');
    const digest = hash('sha256', outerMessage, 'hex');
    scratch.fill(0, 0, 2 * BLOCK);
    return digest;
  }
}
