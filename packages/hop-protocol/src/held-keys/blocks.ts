/** The number of a block; `NONE` where there is none. */
export type BlockNumber = number;
export const NONE: BlockNumber = -1;

/** Blocks are allocated so many at a time: growing never copies what is there. */
const CHUNK = 1_024;

/** Memory that holds many blocks. */
export interface Chunk {
  readonly bytes: Buffer;
  readonly view: DataView;
}

export interface BlocksOptions {
  /** Of each block, bytes. */
  readonly size: number;
  readonly most: number;
  /** Zeroed memory. */
  readonly allocate: (bytes: number) => Uint8Array;
}

/**
 * Blocks of memory of one size, in large pieces that hold no pointers. A free block is all zeros but for its first four
 * bytes, which name the next free one, counted from 1.
 */
export class Blocks {
  readonly #options: BlocksOptions;
  readonly #chunks: Chunk[] = [];
  #end = 0;
  #firstFree: BlockNumber = NONE;
  #freed = 0;

  constructor(options: BlocksOptions) {
    this.#options = options;
  }

  /** Every block that was ever taken has a lower number. */
  get end(): number {
    return this.#end;
  }

  /** How many can still be taken. */
  get free(): number {
    return this.#freed + this.#options.most - this.#end;
  }

  /** Memory taken. */
  get bytes(): number {
    return this.#chunks.length * CHUNK * this.#options.size;
  }

  /** A block of zeros. The caller has seen to it that one is free. */
  take(): BlockNumber {
    if (this.#firstFree === NONE) return this.#takeNew();
    const block = this.#firstFree;
    const { view } = this.chunkOf(block);
    const at = this.offsetOf(block);
    this.#firstFree = view.getUint32(at, true) - 1;
    this.#freed -= 1;
    view.setUint32(at, 0, true);
    return block;
  }

  /** Overwrites the block with zeros. */
  giveBack(block: BlockNumber): void {
    const { bytes, view } = this.chunkOf(block);
    const at = this.offsetOf(block);
    bytes.fill(0, at, at + this.#options.size);
    view.setUint32(at, this.#firstFree + 1, true);
    this.#firstFree = block;
    this.#freed += 1;
  }

  chunkOf(block: BlockNumber): Chunk {
    const chunk = this.#chunks[Math.trunc(block / CHUNK)];
    if (!chunk) throw new RangeError(`there is no block ${block}`);
    return chunk;
  }

  /** Where the block begins in its chunk. */
  offsetOf(block: BlockNumber): number {
    return (block % CHUNK) * this.#options.size;
  }

  /** Overwrites everything with zeros and forgets it. */
  wipe(): void {
    for (const { bytes } of this.#chunks) bytes.fill(0);
    this.#chunks.length = 0;
    this.#end = 0;
    this.#firstFree = NONE;
    this.#freed = 0;
  }

  #takeNew(): BlockNumber {
    if (this.#end === this.#options.most) throw new RangeError('no block is free');
    const block = this.#end;
    if (block === this.#chunks.length * CHUNK) {
      const { buffer, byteOffset, byteLength } = this.#options.allocate(CHUNK * this.#options.size);
      this.#chunks.push({
        bytes: Buffer.from(buffer, byteOffset, byteLength),
        view: new DataView(buffer, byteOffset, byteLength),
      });
    }
    this.#end += 1;
    return block;
  }
}
