/** The characters of access key ids, each with its code; 0 is the code of none. */
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz';
const CODES = Uint8Array.from({ length: 128 }, (_, code) => ALPHABET.indexOf(String.fromCharCode(code)) + 1);
const CHARACTERS = Uint8Array.from({ length: 64 }, (_, code) => (code === 0 ? 0 : ALPHABET.charCodeAt(code - 1)));

/** Longest access key id, characters. */
export const LONGEST_ID = 128;

/** Four characters. */
const GROUP_BYTES = 3;
/** With room for what blocks have beyond the end of an id. */
const BYTES = 256;

/**
 * An access key id in six bits a character, four characters in three bytes, as tables hold it: an id of 20 characters
 * takes 15 bytes. Two ids have the same bytes only if they are the same. It is filled again and again, so that looking
 * up makes no garbage.
 */
export class PackedId {
  /** All zeros beyond `length`. */
  readonly bytes: Buffer = Buffer.alloc(BYTES);
  readonly view = new DataView(this.bytes.buffer, this.bytes.byteOffset, BYTES);
  readonly #text: Buffer = Buffer.alloc(LONGEST_ID + 4);
  #length = 0;
  /** Beyond it all is zeros, whatever is put in at the moment. */
  #filled = 0;

  /** Bytes, whole groups. */
  get length(): number {
    return this.#length;
  }

  /** False for what cannot be an id: it is empty or too long, or has another character. */
  pack(id: string): boolean {
    let end = 0;
    let group = 0;
    let isId = id.length > 0 && id.length <= LONGEST_ID;
    for (let at = 0; isId && at < id.length; at += 1) {
      const code = CODES[id.charCodeAt(at)] ?? 0;
      isId = code !== 0;
      group = (group << 6) | code;
      if ((at & 3) !== 3) continue;
      end = this.#put(end, group);
      group = 0;
    }
    const left = id.length & 3;
    this.#end(isId && left !== 0 ? this.#put(end, group << (6 * (4 - left))) : end);
    return isId;
  }

  /** Begins to read packed bytes, which come in pieces with zeros after the last. */
  beginReading(): void {
    this.#length = 0;
  }

  readPiece(bytes: Uint8Array, from: number, to: number): void {
    let end = this.#length;
    // A few bytes: a loop takes less time than a call that copies.
    for (let at = from; at < to; at += 1) this.bytes[end++] = bytes[at] ?? 0;
    this.#length = end;
  }

  endReading(): void {
    let end = this.#length;
    while (end % GROUP_BYTES !== 0) this.bytes[end++] = 0;
    this.#filled = Math.max(this.#filled, end);
    // The first byte of a group is never zero: no character has a code below one.
    while (end > 0 && this.bytes[end - GROUP_BYTES] === 0) end -= GROUP_BYTES;
    this.#end(end);
  }

  toString(): string {
    let end = 0;
    for (let at = 0; at < this.#length; at += GROUP_BYTES) {
      const group = this.view.getUint32(at) >>> 8;
      for (let shift = 18; shift >= 0; shift -= 6) {
        const character = CHARACTERS[(group >>> shift) & 63] ?? 0;
        if (character !== 0) this.#text[end++] = character;
      }
    }
    return this.#text.toString('latin1', 0, end);
  }

  #put(at: number, group: number): number {
    this.bytes[at] = group >>> 16;
    this.bytes[at + 1] = group >>> 8;
    this.bytes[at + 2] = group;
    return at + GROUP_BYTES;
  }

  /** What an earlier id has beyond the end goes. */
  #end(length: number): void {
    for (let at = length; at < this.#filled; at += 1) this.bytes[at] = 0;
    this.#filled = length;
    this.#length = length;
  }
}
