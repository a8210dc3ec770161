import { Blocks, NONE, type BlockNumber, type Chunk } from './blocks.js';

/** The number of a record in its table: that of its first block. */
export type RecordNumber = BlockNumber;

/** Longest access key id, characters. */
export const LONGEST_ID = 128;

/** What a block is: the first of an entry, or one that continues its id. The others are flags of an entry. */
const ENTRY = 1;
const CONTINUED = 2;
export const REFERENCED = 4;
export const PINNED = 8;

// A record: hash of the id (4 bytes), flags (1), length of the id (1), two unused, id (24), payload. A longer id has 20
// characters here and, after them, the block that it continues in; that one names the next in place of a hash.
const FLAGS_AT = 4;
const LENGTH_AT = 5;
const ID_AT = 8;
const ID_BYTES = 24;
const SPLIT_ID_BYTES = 20;
const LINK_AT = ID_AT + SPLIT_ID_BYTES;
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

/** Records of one size in flat memory, each with an ASCII id and a payload. */
export class Records {
  readonly #blocks: Blocks;
  /** Characters of a long id in each further block. */
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

  /** How many blocks an entry with an id of this length takes. */
  blocksFor(idLength: number): number {
    if (idLength <= ID_BYTES) return 1;
    return 1 + Math.ceil((idLength - SPLIT_ID_BYTES) / this.#continuationBytes);
  }

  /** A new entry with an empty payload. The caller has seen to it that enough is free. */
  create(id: string, hash: number): RecordNumber {
    const record = this.#blocks.take();
    const { view, bytes } = this.chunkOf(record);
    const at = this.#at(record);
    view.setUint32(at, hash, true);
    view.setUint8(at + FLAGS_AT, ENTRY);
    view.setUint8(at + LENGTH_AT, id.length);
    const inline = id.length <= ID_BYTES ? id.length : SPLIT_ID_BYTES;
    bytes.write(id.slice(0, inline), at + ID_AT, 'latin1');
    if (inline < id.length) view.setUint32(at + LINK_AT, this.#continue(id, inline) + 1, true);
    return record;
  }

  /** Overwrites the whole entry with zeros and takes it back. */
  release(record: RecordNumber): void {
    let next = this.#firstContinuation(record);
    this.#blocks.giveBack(record);
    while (next !== NONE) {
      const block = next;
      next = this.#linkOf(block);
      this.#blocks.giveBack(block);
    }
  }

  isEntry(record: RecordNumber): boolean {
    return (this.flagsOf(record) & ENTRY) !== 0;
  }

  flagsOf(record: RecordNumber): number {
    return this.chunkOf(record).view.getUint8(this.#at(record) + FLAGS_AT);
  }

  setFlag(record: RecordNumber, flag: number, isSet: boolean): void {
    const flags = this.flagsOf(record);
    this.chunkOf(record).view.setUint8(this.#at(record) + FLAGS_AT, isSet ? flags | flag : flags & ~flag);
  }

  hashOf(record: RecordNumber): number {
    return this.chunkOf(record).view.getUint32(this.#at(record), true);
  }

  /** Whether the entry is the one of this id. */
  isOf(record: RecordNumber, hash: number, id: string): boolean {
    const { view, bytes } = this.chunkOf(record);
    const at = this.#at(record);
    if (view.getUint32(at, true) !== hash || view.getUint8(at + LENGTH_AT) !== id.length) return false;
    if (id.length > ID_BYTES) return this.idOf(record) === id;
    for (let i = 0; i < id.length; i += 1) if (bytes[at + ID_AT + i] !== id.charCodeAt(i)) return false;
    return true;
  }

  idOf(record: RecordNumber): string {
    const length = this.chunkOf(record).view.getUint8(this.#at(record) + LENGTH_AT);
    let id = this.#textOf(record, length <= ID_BYTES ? length : SPLIT_ID_BYTES);
    for (let block = this.#firstContinuation(record); block !== NONE; block = this.#linkOf(block)) {
      id += this.#textOf(block, Math.min(this.#continuationBytes, length - id.length));
    }
    return id;
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

  #textOf(block: BlockNumber, length: number): string {
    const from = this.#at(block) + ID_AT;
    return this.chunkOf(block).bytes.toString('latin1', from, from + length);
  }

  /** The rest of a long id, in as many blocks as it needs; the number of the first. */
  #continue(id: string, from: number): BlockNumber {
    const block = this.#blocks.take();
    const { view, bytes } = this.chunkOf(block);
    const at = this.#at(block);
    const to = Math.min(id.length, from + this.#continuationBytes);
    view.setUint8(at + FLAGS_AT, CONTINUED);
    bytes.write(id.slice(from, to), at + ID_AT, 'latin1');
    if (to < id.length) view.setUint32(at, this.#continue(id, to) + 1, true);
    return block;
  }

  #firstContinuation(record: RecordNumber): BlockNumber {
    const { view } = this.chunkOf(record);
    const at = this.#at(record);
    return view.getUint8(at + LENGTH_AT) > ID_BYTES ? view.getUint32(at + LINK_AT, true) - 1 : NONE;
  }

  #linkOf(block: BlockNumber): BlockNumber {
    return this.hashOf(block) - 1;
  }
}
