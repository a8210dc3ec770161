import { NONE } from './blocks.js';
import type { RecordNumber } from './records.js';

/** The highest ten bits of a hash choose the segment, the others the slot. */
const SEGMENT_BITS = 10;
const SLOT_BITS = 32 - SEGMENT_BITS;
const SLOT_RANGE = 1 << SLOT_BITS;
const FEWEST_SLOTS = 8;

/** A slot is a record's number, counted from 1, and above it the lowest six bits of the hash; 0 is an empty slot. */
const NUMBER_BITS = 26;
const NUMBER_MASK = (1 << NUMBER_BITS) - 1;
const TAG_MASK = (1 << (32 - NUMBER_BITS)) - 1;

/** The most records that can be told apart. */
export const MOST_RECORDS = NUMBER_MASK;

interface Segment {
  slots: Uint32Array;
  used: number;
}

/** The most bytes of index that a record takes: four, in a segment that has just grown and is seven tenths full. */
export const MOST_INDEX_BYTES_A_RECORD = 6;

/** What the index does not keep itself. */
export interface IndexedRecords {
  /** Whether the record is the one that is looked for. */
  isWanted(record: RecordNumber): boolean;
  hashOf(record: RecordNumber): number;
}

/**
 * Finds records by the hash of their id: open addressing in many small segments, each of which grows by itself, by a
 * quarter. So growing takes microseconds at a time, however large the table is, and little is left empty.
 */
export class IdIndex {
  readonly #records: IndexedRecords;
  readonly #segments: Segment[] = [];

  constructor(records: IndexedRecords) {
    this.#records = records;
    this.clear();
  }

  get bytes(): number {
    return this.#segments.reduce((sum, { slots }) => sum + slots.byteLength, 0);
  }

  find(hash: number): RecordNumber {
    const { slots } = this.#segmentOf(hash);
    const tag = hash & TAG_MASK;
    for (let slot = homeOf(hash, slots); ; slot = after(slot, slots)) {
      const entry = slots[slot] ?? 0;
      if (entry === 0) return NONE;
      if (entry >>> NUMBER_BITS === tag && this.#records.isWanted(numberIn(entry))) return numberIn(entry);
    }
  }

  add(hash: number, record: RecordNumber): void {
    const segment = this.#segmentOf(hash);
    // Never more than seven eighths full: what is not there is soon seen not to be there.
    if ((segment.used + 1) * 8 > segment.slots.length * 7) this.#grow(segment);
    place(segment.slots, hash, record);
    segment.used += 1;
  }

  /** Closes the gap behind the removed slot, so that no search ends early and no gravestones are left. */
  remove(hash: number, record: RecordNumber): void {
    const segment = this.#segmentOf(hash);
    const { slots } = segment;
    let gap = homeOf(hash, slots);
    while (numberIn(slots[gap] ?? 0) !== record) gap = after(gap, slots);
    for (let slot = after(gap, slots); ; slot = after(slot, slots)) {
      const moved = slots[slot] ?? 0;
      if (moved === 0) break;
      const home = homeOf(this.#records.hashOf(numberIn(moved)), slots);
      // It may move back to the gap unless its own place lies behind the gap.
      if (distance(home, slot, slots) < distance(gap, slot, slots)) continue;
      slots[gap] = moved;
      gap = slot;
    }
    slots[gap] = 0;
    segment.used -= 1;
  }

  clear(): void {
    for (let i = 0; i < 1 << SEGMENT_BITS; i += 1) {
      this.#segments[i] = { slots: new Uint32Array(FEWEST_SLOTS), used: 0 };
    }
  }

  #segmentOf(hash: number): Segment {
    const segment = this.#segments[hash >>> SLOT_BITS];
    if (!segment) throw new RangeError('a hash has 32 bits');
    return segment;
  }

  #grow(segment: Segment): void {
    const grown = new Uint32Array(Math.ceil(segment.slots.length * 1.25));
    for (const entry of segment.slots) {
      if (entry !== 0) place(grown, this.#records.hashOf(numberIn(entry)), numberIn(entry));
    }
    segment.slots = grown;
  }
}

function homeOf(hash: number, { length }: Uint32Array): number {
  return Math.trunc(((hash & (SLOT_RANGE - 1)) * length) / SLOT_RANGE);
}

function after(slot: number, { length }: Uint32Array): number {
  return slot + 1 === length ? 0 : slot + 1;
}

/** How many slots after `from` the slot `to` is. */
function distance(from: number, to: number, { length }: Uint32Array): number {
  return to >= from ? to - from : to - from + length;
}

function numberIn(entry: number): RecordNumber {
  return (entry & NUMBER_MASK) - 1;
}

function place(slots: Uint32Array, hash: number, record: RecordNumber): void {
  let slot = homeOf(hash, slots);
  while (slots[slot] !== 0) slot = after(slot, slots);
  slots[slot] = ((hash & TAG_MASK) << NUMBER_BITS) | (record + 1);
}
