import { NONE, type Chunk } from './blocks.js';
import { IdIndex, MOST_INDEX_BYTES_A_RECORD, MOST_RECORDS } from './id-index.js';
import { KeyedHash, type HashSeed } from './keyed-hash.js';
import { LONGEST_ID, PackedId } from './packed-id.js';
import { PINNED, recordBytesOf, Records, REFERENCED, type RecordNumber } from './records.js';

export interface IdTableOptions {
  readonly payloadBytes: number;
  /** An id of up to 20 characters takes one, a longer one more. */
  readonly mostRecords: number;
  readonly hashSeed: HashSeed;
  /** Zeroed memory; by default from the heap of ArrayBuffers. */
  readonly allocate?: ((bytes: number) => Uint8Array) | undefined;
  /** Whether an entry is in use although it was not looked up lately: it goes only when there is no other. */
  readonly isSpared?: (record: RecordNumber) => boolean;
  /** Told right before an entry is overwritten with zeros, for whatever reason. */
  readonly onRelease?: (record: RecordNumber, reason: 'removed' | 'evicted') => void;
}

/** Records that are looked at to find one that may go: making room never takes long. */
const LONGEST_SWEEP = 4_096;

/** The most bytes that an entry with an id of up to 20 characters takes in a table, index included. */
export function mostBytesAnEntry(payloadBytes: number): number {
  return recordBytesOf(payloadBytes) + MOST_INDEX_BYTES_A_RECORD;
}

/**
 * A table by access key id without an object per entry: a million entries cost the garbage collector nothing. At its
 * bound it lets go of what was not referenced for longest, approximately (CLOCK), and never of what is pinned. Record
 * numbers stay valid until their entry is removed or evicted.
 */
export class IdTable {
  readonly #options: IdTableOptions;
  readonly #hash: KeyedHash;
  readonly #records: Records;
  readonly #index: IdIndex;
  /** The id that is looked for, and one that is read. */
  readonly #wanted = new PackedId();
  readonly #read = new PackedId();
  #size = 0;
  #hand: RecordNumber = 0;

  constructor(options: IdTableOptions) {
    this.#options = options;
    this.#hash = new KeyedHash(options.hashSeed);
    const { payloadBytes, mostRecords, allocate = (bytes: number) => new Uint8Array(bytes) } = options;
    this.#records = new Records({ payloadBytes, mostRecords: Math.min(mostRecords, MOST_RECORDS), allocate });
    this.#index = new IdIndex({
      isWanted: (record) => this.#records.isOf(record, this.#wanted, this.#read),
      hashOf: (record) => this.#hashOf(record),
    });
  }

  get size(): number {
    return this.#size;
  }

  /** Memory taken, whether in use at the moment or not. */
  get bytes(): number {
    return this.#records.bytes + this.#index.bytes;
  }

  find(id: string): RecordNumber {
    return this.#wanted.pack(id) ? this.#index.find(this.#hash.of(this.#wanted)) : NONE;
  }

  /**
   * The entry of this id, made when there is none, which may evict others; `NONE` when all that may go is pinned.
   * Throws RangeError unless the id has 1 to 128 letters, digits or underscores.
   */
  add(id: string): RecordNumber {
    if (!this.#wanted.pack(id)) {
      throw new RangeError(`an access key id has 1 to ${LONGEST_ID} letters, digits or underscores`);
    }
    const hash = this.#hash.of(this.#wanted);
    const known = this.#index.find(hash);
    if (known !== NONE) return known;
    const needed = this.#records.blocksFor(this.#wanted);
    if (this.#records.free < needed) {
      while (this.#records.free < needed) if (!this.#evict()) return NONE;
      // Whoever was told of what went may have looked for something else meanwhile.
      this.#wanted.pack(id);
    }
    const record = this.#records.create(this.#wanted);
    this.#index.add(hash, record);
    this.#size += 1;
    return record;
  }

  /** Overwrites the entry with zeros. */
  remove(record: RecordNumber, reason: 'removed' | 'evicted' = 'removed'): void {
    this.#options.onRelease?.(record, reason);
    this.#index.remove(this.#hashOf(record), record);
    this.#records.release(record);
    this.#size -= 1;
  }

  /** The entry was of use: it stays for longer. */
  reference(record: RecordNumber): void {
    this.#records.setFlag(record, REFERENCED, true);
  }

  pin(record: RecordNumber, isPinned: boolean): void {
    this.#records.setFlag(record, PINNED, isPinned);
  }

  isPinned(record: RecordNumber): boolean {
    return (this.#records.flagsOf(record) & PINNED) !== 0;
  }

  idOf(record: RecordNumber): string {
    this.#records.readId(record, this.#read);
    return this.#read.toString();
  }

  /** The memory that holds the record's payload, from `payloadAt` on. */
  chunkOf(record: RecordNumber): Chunk {
    return this.#records.chunkOf(record);
  }

  payloadAt(record: RecordNumber): number {
    return this.#records.payloadAt(record);
  }

  /**
   * Every entry. The table may change meanwhile: what is there from beginning to end comes exactly once, what is added
   * or removed meanwhile may come or not.
   */
  *entries(): Generator<RecordNumber> {
    for (let record = 0; record < this.#records.end; record += 1) if (this.#records.isEntry(record)) yield record;
  }

  /** Overwrites everything with zeros. */
  wipe(): void {
    this.#records.wipe();
    this.#index.clear();
    this.#size = 0;
    this.#hand = 0;
  }

  #hashOf(record: RecordNumber): number {
    this.#records.readId(record, this.#read);
    return this.#hash.of(this.#read);
  }

  #evict(): boolean {
    let fallback = NONE;
    const steps = Math.min(LONGEST_SWEEP, 2 * this.#records.end);
    for (let step = 0; step < steps; step += 1) {
      const record = this.#hand % this.#records.end;
      this.#hand = record + 1;
      if (!this.#records.isEntry(record) || this.isPinned(record)) continue;
      const wasReferenced = (this.#records.flagsOf(record) & REFERENCED) !== 0;
      this.#records.setFlag(record, REFERENCED, false);
      if (!wasReferenced && this.#options.isSpared?.(record) !== true) {
        this.remove(record, 'evicted');
        return true;
      }
      if (fallback === NONE) fallback = record;
    }
    if (fallback !== NONE) this.remove(fallback, 'evicted');
    return fallback !== NONE;
  }
}
