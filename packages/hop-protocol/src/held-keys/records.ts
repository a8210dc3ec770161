/** The number of a record in its table; `NONE` where there is none. */
export type RecordNumber = number;
export const NONE: RecordNumber = -1;

/** Longest access key id, characters. */
export const LONGEST_ID = 128;

/** What a record is. The bits above `CONTINUED` are flags of an entry. */
const ENTRY = 1;
const CONTINUED = 2;
export const REFERENCED = 4;
export const PINNED = 8;

// A record: hash (4 bytes; of a free record or a continuation: the next one, counted from 1), flags (1), length of the
// id (1), two unused, id (24), payload. A longer id has 20 characters here and the number of a continuation after them.
const FLAGS_AT = 4;
const LENGTH_AT = 5;
const ID_AT = 8;
const ID_BYTES = 24;
const SPLIT_ID_BYTES = 20;
const LINK_AT = ID_AT + SPLIT_ID_BYTES;
const PAYLOAD_AT = ID_AT + ID_BYTES;

/** Records are allocated so many at a time: growing never copies what is there. */
const CHUNK = 1_024;

/** Where a record's bytes are. */
export interface Chunk {
  readonly bytes: Buffer;
  readonly view: DataView;
}

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

/** Records of one size, each with an ASCII id and a payload, in large pieces of memory that hold no pointers. */
export class Records {
  readonly #options: RecordsOptions;
  readonly #recordBytes: number;
  readonly #chunks: Chunk[] = [];
  /** Numbers from here on were never used. */
  #end = 0;
  #firstFree: RecordNumber = NONE;
  #freed = 0;

  constructor(options: RecordsOptions) {
    this.#options = options;
    this.#recordBytes = recordBytesOf(options.payloadBytes);
  }

  /** Every record in use has a lower number. */
  get end(): number {
    return this.#end;
  }

  /** How many records can still be made. */
  get free(): number {
    return this.#freed + this.#options.mostRecords - this.#end;
  }

  get bytes(): number {
    return this.#chunks.length * CHUNK * this.#recordBytes;
  }

  /** How many records an entry with an id of this length takes. */
  recordsFor(idLength: number): number {
    if (idLength <= ID_BYTES) return 1;
    return 1 + Math.ceil((idLength - SPLIT_ID_BYTES) / this.#continuationBytes);
  }

  /** A new entry with an empty payload. The caller has seen to it that enough is free. */
  create(id: string, hash: number): RecordNumber {
    const record = this.#take();
    const { view, bytes } = this.chunkOf(record);
    const at = this.offsetOf(record);
    view.setUint32(at, hash, true);
    view.setUint8(at + FLAGS_AT, ENTRY);
    view.setUint8(at + LENGTH_AT, id.length);
    const inline = id.length <= ID_BYTES ? id.length : SPLIT_ID_BYTES;
    for (let i = 0; i < inline; i += 1) bytes[at + ID_AT + i] = id.charCodeAt(i);
    if (inline < id.length) view.setUint32(at + LINK_AT, this.#continue(id, inline) + 1, true);
    return record;
  }

  /** Overwrites the whole entry with zeros and takes it back. */
  release(record: RecordNumber): void {
    const { view } = this.chunkOf(record);
    const at = this.offsetOf(record);
    const isSplit = view.getUint8(at + LENGTH_AT) > ID_BYTES;
    let next = isSplit ? view.getUint32(at + LINK_AT, true) - 1 : NONE;
    this.#giveBack(record);
    while (next !== NONE) {
      const continuation = next;
      next = this.#linkOf(continuation);
      this.#giveBack(continuation);
    }
  }

  isEntry(record: RecordNumber): boolean {
    return (this.flagsOf(record) & ENTRY) !== 0;
  }

  flagsOf(record: RecordNumber): number {
    return this.chunkOf(record).view.getUint8(this.offsetOf(record) + FLAGS_AT);
  }

  setFlag(record: RecordNumber, flag: number, isSet: boolean): void {
    const flags = this.flagsOf(record);
    const { view } = this.chunkOf(record);
    view.setUint8(this.offsetOf(record) + FLAGS_AT, isSet ? flags | flag : flags & ~flag);
  }

  hashOf(record: RecordNumber): number {
    return this.chunkOf(record).view.getUint32(this.offsetOf(record), true);
  }

  /** Whether the entry is the one of this id. */
  isOf(record: RecordNumber, hash: number, id: string): boolean {
    const { view, bytes } = this.chunkOf(record);
    const at = this.offsetOf(record);
    if (view.getUint32(at, true) !== hash || view.getUint8(at + LENGTH_AT) !== id.length) return false;
    if (id.length > ID_BYTES) return this.idOf(record) === id;
    for (let i = 0; i < id.length; i += 1) if (bytes[at + ID_AT + i] !== id.charCodeAt(i)) return false;
    return true;
  }

  idOf(record: RecordNumber): string {
    const { view, bytes } = this.chunkOf(record);
    const at = this.offsetOf(record) + ID_AT;
    const length = view.getUint8(this.offsetOf(record) + LENGTH_AT);
    if (length <= ID_BYTES) return bytes.toString('latin1', at, at + length);
    let id = bytes.toString('latin1', at, at + SPLIT_ID_BYTES);
    let next = view.getUint32(this.offsetOf(record) + LINK_AT, true) - 1;
    while (next !== NONE) {
      const from = this.offsetOf(next) + ID_AT;
      const part = Math.min(this.#continuationBytes, length - id.length);
      id += this.chunkOf(next).bytes.toString('latin1', from, from + part);
      next = this.#linkOf(next);
    }
    return id;
  }

  chunkOf(record: RecordNumber): Chunk {
    const chunk = this.#chunks[Math.trunc(record / CHUNK)];
    if (!chunk) throw new RangeError(`there is no record ${record}`);
    return chunk;
  }

  /** Where the payload begins in its chunk. */
  payloadAt(record: RecordNumber): number {
    return this.offsetOf(record) + PAYLOAD_AT;
  }

  offsetOf(record: RecordNumber): number {
    return (record % CHUNK) * this.#recordBytes;
  }

  /** Overwrites everything with zeros and forgets it. */
  wipe(): void {
    for (const { bytes } of this.#chunks) bytes.fill(0);
    this.#chunks.length = 0;
    this.#end = 0;
    this.#firstFree = NONE;
    this.#freed = 0;
  }

  get #continuationBytes(): number {
    return this.#recordBytes - ID_AT;
  }

  /** The rest of a long id, in as many records as it needs; the number of the first. */
  #continue(id: string, from: number): RecordNumber {
    const record = this.#take();
    const { view, bytes } = this.chunkOf(record);
    const at = this.offsetOf(record);
    view.setUint8(at + FLAGS_AT, CONTINUED);
    const part = Math.min(this.#continuationBytes, id.length - from);
    for (let i = 0; i < part; i += 1) bytes[at + ID_AT + i] = id.charCodeAt(from + i);
    if (from + part < id.length) view.setUint32(at, this.#continue(id, from + part) + 1, true);
    return record;
  }

  #linkOf(record: RecordNumber): RecordNumber {
    return this.hashOf(record) - 1;
  }

  #take(): RecordNumber {
    if (this.#firstFree === NONE) return this.#takeNew();
    const record = this.#firstFree;
    this.#firstFree = this.#linkOf(record);
    this.#freed -= 1;
    this.chunkOf(record).view.setUint32(this.offsetOf(record), 0, true);
    return record;
  }

  #takeNew(): RecordNumber {
    if (this.#end === this.#options.mostRecords) throw new RangeError('no record is free');
    const record = this.#end;
    if (record === this.#chunks.length * CHUNK) {
      const { buffer, byteOffset, byteLength } = this.#options.allocate(CHUNK * this.#recordBytes);
      this.#chunks.push({
        bytes: Buffer.from(buffer, byteOffset, byteLength),
        view: new DataView(buffer, byteOffset, byteLength),
      });
    }
    this.#end += 1;
    return record;
  }

  #giveBack(record: RecordNumber): void {
    const { bytes, view } = this.chunkOf(record);
    const at = this.offsetOf(record);
    bytes.fill(0, at, at + this.#recordBytes);
    view.setUint32(at, this.#firstFree + 1, true);
    this.#firstFree = record;
    this.#freed += 1;
  }
}
