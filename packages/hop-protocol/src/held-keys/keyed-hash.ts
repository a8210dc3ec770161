import type { PackedId } from './packed-id.js';

/** Eight random bytes: the seed of a table's hash. Whoever does not know them cannot choose ids that collide. */
export type HashSeed = Uint8Array;

const SEED_BYTES = 8;
const FINAL_ROUNDS = 3;

/**
 * HalfSipHash-1-3 of a packed id, 32 bits: the keyed hash that was made for tables whose keys an attacker may choose.
 * It protects the table's speed and nothing else; no secret depends on it.
 */
export class KeyedHash {
  readonly #k0: number;
  readonly #k1: number;

  /** Throws RangeError unless the seed has 8 bytes. */
  constructor(seed: HashSeed) {
    if (seed.length !== SEED_BYTES) throw new RangeError(`a hash seed has ${SEED_BYTES} bytes, not ${seed.length}`);
    const view = new DataView(seed.buffer, seed.byteOffset, seed.byteLength);
    this.#k0 = view.getUint32(0, true);
    this.#k1 = view.getUint32(4, true);
  }

  /** From 0 up to 2^32 - 1. */
  of({ view, length }: PackedId): number {
    // Behind the last byte are zeros; the length is a word of its own.
    const words = (length + 3) >>> 2;
    let v0 = this.#k0;
    let v1 = this.#k1;
    let v2 = 0x6c796765 ^ this.#k0;
    let v3 = 0x74656462 ^ this.#k1;
    for (let round = 0; round <= words + FINAL_ROUNDS; round += 1) {
      const word = round < words ? view.getUint32(round * 4, true) : round === words ? length << 24 : 0;
      if (round === words + 1) v2 ^= 0xff;
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    return (v1 ^ v3) >>> 0;
  }
}
