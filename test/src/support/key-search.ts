import { spelled } from './spellings.js';

/** What must not be found where it does not belong, or must be where it does. */
export interface SoughtKey {
  readonly name: string;
  readonly bytes: Buffer;
}

/** What was found: each key by its name, with how it was written. */
export type FoundKeys = ReadonlyMap<string, ReadonlySet<string>>;

interface Pattern {
  readonly name: string;
  readonly spelling: string;
  readonly bytes: Buffer;
}

/** Texts are looked for as strings of two bytes a character, too: so V8 keeps those that are not Latin-1 alone. */
const IN_TWO_BYTES = ' in two bytes a character';
const PAD = 'a pad of HMAC';
/** A pattern is recognised by its first three bytes, of which a table of bits tells at once whether there is one. */
const TABLE_BYTES = 2 ** 24 / 8;
/** A page of memory. */
const EMPTY = Buffer.alloc(4_096);

/** Looks for many keys at once, in every spelling, in one pass over bytes that come in pieces. */
export class KeySearch {
  readonly #patterns = new Map<number, Pattern[]>();
  readonly #beginnings = new Uint8Array(TABLE_BYTES);
  /** Bytes that two pieces must share, so that nothing that lies across their border is missed. */
  readonly overlap: number;

  constructor(sought: readonly SoughtKey[]) {
    const all = sought.flatMap(patternsOf);
    for (const pattern of all) {
      const begins = beginningAt(pattern.bytes, 0);
      this.#beginnings[begins >>> 3] = (this.#beginnings[begins >>> 3] ?? 0) | (1 << (begins & 7));
      this.#patterns.set(begins, [...(this.#patterns.get(begins) ?? []), pattern]);
    }
    this.overlap = Math.max(0, ...all.map(({ bytes }) => bytes.length - 1));
  }

  in(pieces: Iterable<Buffer>): FoundKeys {
    const found = new Map<string, Set<string>>();
    for (const piece of pieces) this.#scan(piece, found);
    return found;
  }

  #scan(piece: Buffer, found: Map<string, Set<string>>): void {
    for (let from = 0; from < piece.length; from += EMPTY.length) {
      const to = Math.min(from + EMPTY.length, piece.length);
      // Much of a process's memory was never written to, and no key begins with zeros.
      if (EMPTY.compare(piece, from, to, 0, to - from) !== 0) this.#scanRange(piece, { from, to }, found);
    }
  }

  /** Finds what begins in the range. */
  #scanRange(
    piece: Buffer,
    range: { readonly from: number; readonly to: number },
    found: Map<string, Set<string>>,
  ): void {
    let window = ((piece[range.from] ?? 0) << 8) | ((piece[range.from + 1] ?? 0) << 16);
    const beginnings = this.#beginnings;
    for (let at = range.from; at < range.to; at += 1) {
      window = (window >>> 8) | ((piece[at + 2] ?? 0) << 16);
      if (((beginnings[window >>> 3] ?? 0) & (1 << (window & 7))) === 0) continue;
      for (const { name, spelling, bytes } of this.#patterns.get(window) ?? []) {
        if (at + bytes.length > piece.length || bytes.compare(piece, at, at + bytes.length) !== 0) continue;
        const how = found.get(name) ?? new Set();
        found.set(name, how.add(spelling));
      }
    }
  }
}

function beginningAt(bytes: Buffer, at: number): number {
  return bytes.readUIntLE(at, 3);
}

function patternsOf({ name, bytes }: SoughtKey): readonly Pattern[] {
  const written = [...spelled(bytes), ...withinBase64(bytes), ...asPads(bytes)];
  return written.flatMap(([spelling, text]) => {
    const pattern = { name, spelling, bytes: text };
    if (spelling === 'binary' || spelling === PAD) return [pattern];
    return [pattern, { name, spelling: spelling + IN_TWO_BYTES, bytes: Buffer.from(text.toString(), 'utf16le') }];
  });
}

/** What HMAC makes of a key (RFC 2104) is as good as the key. */
function asPads(bytes: Buffer): readonly (readonly [string, Buffer])[] {
  return [0x36, 0x5c].map((pad) => [PAD, Buffer.from(bytes.map((byte) => byte ^ pad))] as const);
}

/** What base64 of something longer has in it when the bytes begin at any place of a group of three. */
function withinBase64(bytes: Buffer): readonly (readonly [string, Buffer])[] {
  return [0, 1, 2].map((start) => {
    const groups = bytes.subarray(start, start + 3 * Math.floor((bytes.length - start) / 3));
    return ['within base64', Buffer.from(groups.toString('base64'))] as const;
  });
}
