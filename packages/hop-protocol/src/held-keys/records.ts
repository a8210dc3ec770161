import { Blocks, NONE, type BlockNumber, type Chunk } from './blocks.js';
import type { PackedId } from './packed-id.js';

/** The number of a record in its table: that of its first block. */
export type RecordNumber = BlockNumber;

/** What a block is: the first of an entry, or one that continues its id. The others are flags of an entry. */
const ENTRY = 1;
const CONTINUED = 2;
export const REFERENCED = 4;
export const PINNED = 8;

// A block begins with four bytes: the flags in its highest four bits, and in the others the number of the block that
// the id continues in, counted from 1. A record goes on with the first 15 bytes of its packed id, which are all of an
// id of up to 20 characters, and its payload; a block that continues, with more of the id.
const FLAGS_SHIFT = 28;
const LINK_MASK = (1 << FLAGS_SHIFT) - 1;
const ID_AT = 4;
const ID_BYTES = 15;
const PAYLOAD_AT = ID_AT + ID_BYTES;

/** Bytes that a record takes whose payload has so many. */
export function recordBytesOf(payloadBytes: number): number {
  return PAYLOAD_AT + payloadBytes;
}

export interface RecordsOptions {
  readonly payloadBytes: number;
  readonly mostRecords: number;
  /** Zeroed memory. */
  readonly allocate: (bytes: number) => Uint8Array;
}

/** Records of one size in flat memory, each with an id and a payload. */
export class Records {
  readonly #blocks: Blocks;
  /** Bytes of a long id in each further block. */
  readonly #continuationBytes: number;

  constructor({ payloadBytes, mostRecords, allocate }: RecordsOptions) {
    const size = recordBytesOf(payloadBytes);
    this.#blocks = new Blocks({ size, most: mostRecords, allocate });
    this.#continuationBytes = size - ID_AT;
  }

  /** Every record in use has a lower number. */
  get end(): number {
    return this.#blocks.end;
  }

  /** How many blocks are left. */
  get free(): number {
    return this.#blocks.free;
  }

  /** Memory taken. */
  get bytes(): number {
    return this.#blocks.bytes;
  }

  /** How many blocks an entry with this id takes. */
  blocksFor({ length }: PackedId): number {
    return length <= ID_BYTES ? 1 : 1 + Math.ceil((length - ID_BYTES) / this.#continuationBytes);
  }

  /** A new entry with an empty payload. The caller has seen to it that enough is free. */
  create(id: PackedId): RecordNumber {
    const record = this.#blocks.take();
    const { bytes } = this.chunkOf(record);
    const at = this.#at(record) + ID_AT;
    for (let i = 0; i < ID_BYTES; i += 1) bytes[at + i] = id.bytes[i] ?? 0;
    const next = id.length > ID_BYTES ? this.#continue(id, ID_BYTES) : NONE;
    this.#setState(record, ENTRY, next);
    return record;
  }

  /** Overwrites the whole entry with zeros and takes it back. */
  release(record: RecordNumber): void {
    for (let block = record; block !== NONE;) {
      const next = this.#nextOf(block);
      this.#blocks.giveBack(block);
      block = next;
    }
  }

  isEntry(record: RecordNumber): boolean {
    return (this.flagsOf(record) & ENTRY) !== 0;
  }

  flagsOf(record: RecordNumber): number {
    return this.#stateOf(record) >>> FLAGS_SHIFT;
  }

  setFlag(record: RecordNumber, flag: number, isSet: boolean): void {
    const flags = this.flagsOf(record);
    this.#setState(record, isSet ? flags | flag : flags & ~flag, this.#nextOf(record));
  }

  /** Whether the entry is the one of this id; `scratch` is for an id that continues elsewhere. */
  isOf(record: RecordNumber, id: PackedId, scratch: PackedId): boolean {
    const { bytes } = this.chunkOf(record);
    const at = this.#at(record) + ID_AT;
    for (let i = 0; i < ID_BYTES; i += 1) if (bytes[at + i] !== id.bytes[i]) return false;
    const continues = this.#nextOf(record) !== NONE;
    if (!continues || id.length <= ID_BYTES) return continues === id.length > ID_BYTES;
    this.readId(record, scratch);
    return scratch.length === id.length && scratch.bytes.compare(id.bytes, 0, id.length, 0, id.length) === 0;
  }

  readId(record: RecordNumber, into: PackedId): void {
    into.beginReading();
    this.#readPiece(record, ID_BYTES, into);
    for (let block = this.#nextOf(record); block !== NONE; block = this.#nextOf(block)) {
      this.#readPiece(block, this.#continuationBytes, into);
    }
    into.endReading();
  }

  /** The memory that holds the record. */
  chunkOf(record: RecordNumber): Chunk {
    return this.#blocks.chunkOf(record);
  }

  /** Where the payload begins in its chunk. */
  payloadAt(record: RecordNumber): number {
    return this.#at(record) + PAYLOAD_AT;
  }

  /** Overwrites everything with zeros and forgets it. */
  wipe(): void {
    this.#blocks.wipe();
  }

  #at(block: BlockNumber): number {
    return this.#blocks.offsetOf(block);
  }

  /** The rest of a long id, in as many blocks as it needs; the number of the first. */
  #continue(id: PackedId, from: number): BlockNumber {
    const block = this.#blocks.take();
    const to = Math.min(id.length, from + this.#continuationBytes);
    id.bytes.copy(this.chunkOf(block).bytes, this.#at(block) + ID_AT, from, to);
    this.#setState(block, CONTINUED, to < id.length ? this.#continue(id, to) : NONE);
    return block;
  }

  #readPiece(block: BlockNumber, length: number, into: PackedId): void {
    const from = this.#at(block) + ID_AT;
    into.readPiece(this.chunkOf(block).bytes, from, from + length);
  }

  #nextOf(block: BlockNumber): BlockNumber {
    return (this.#stateOf(block) & LINK_MASK) - 1;
  }

  #stateOf(block: BlockNumber): number {
    return this.chunkOf(block).view.getUint32(this.#at(block), true);
  }

  #setState(block: BlockNumber, flags: number, next: BlockNumber): void {
    this.chunkOf(block).view.setUint32(this.#at(block), ((flags << FLAGS_SHIFT) | (next + 1)) >>> 0, true);
  }
}
