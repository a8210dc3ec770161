import { NONE } from './blocks.js';
import type { RecordNumber, Records } from './records.js';

/** The highest ten bits of a hash choose the segment, its lowest the slot. */
const SEGMENT_BITS = 10;
const SEGMENT_SHIFT = 32 - SEGMENT_BITS;
const FEWEST_SLOTS = 8;

interface Segment {
  /** Record numbers, counted from 1; 0 is an empty slot. A power of two of them. */
  slots: Uint32Array;
  used: number;
}

/** The most bytes of index that a record takes: four, in a segment that has just doubled and is three eighths full. */
export const MOST_INDEX_BYTES_A_RECORD = 11;

/**
 * Finds records by the hash of their id: open addressing in many small segments, each of which grows by itself. So
 * growing takes microseconds at a time, however large the table is.
 */
export class IdIndex {
  readonly #records: Records;
  readonly #segments: Segment[] = [];

  constructor(records: Records) {
    this.#records = records;
    this.clear();
  }

  get bytes(): number {
    return this.#segments.reduce((sum, { slots }) => sum + slots.byteLength, 0);
  }

  find(hash: number, id: string): RecordNumber {
    const { slots } = this.#segmentOf(hash);
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const record = (slots[slot] ?? 0) - 1;
      if (record === NONE || this.#records.isOf(record, hash, id)) return record;
    }
  }

  add(hash: number, record: RecordNumber): void {
    const segment = this.#segmentOf(hash);
    // Never more than three quarters full: what is not there is soon seen not to be there.
    if ((segment.used + 1) * 4 > segment.slots.length * 3) this.#grow(segment);
    place(segment.slots, hash, record);
    segment.used += 1;
  }

  /** Closes the gap behind the removed slot, so that no search ends early and no gravestones are left. */
  remove(hash: number, record: RecordNumber): void {
    const segment = this.#segmentOf(hash);
    const { slots } = segment;
    const mask = slots.length - 1;
    let gap = hash & mask;
    while (slots[gap] !== record + 1) gap = (gap + 1) & mask;
    for (let slot = (gap + 1) & mask; ; slot = (slot + 1) & mask) {
      const moved = slots[slot] ?? 0;
      if (moved === 0) break;
      const home = this.#records.hashOf(moved - 1) & mask;
      // It may move back to the gap unless its own place lies behind the gap.
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
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
    const segment = this.#segments[hash >>> SEGMENT_SHIFT];
    if (!segment) throw new RangeError('a hash has 32 bits');
    return segment;
  }

  #grow(segment: Segment): void {
    const grown = new Uint32Array(segment.slots.length * 2);
    for (const slot of segment.slots) if (slot !== 0) place(grown, this.#records.hashOf(slot - 1), slot - 1);
    segment.slots = grown;
  }
}

function place(slots: Uint32Array, hash: number, record: RecordNumber): void {
  const mask = slots.length - 1;
  let slot = hash & mask;
  while (slots[slot] !== 0) slot = (slot + 1) & mask;
  slots[slot] = record + 1;
}
