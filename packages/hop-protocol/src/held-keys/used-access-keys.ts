import { DAY_MS, scopeDateOf, startOfScopeDate, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import { NONE } from './blocks.js';
import { IdTable, mostBytesAnEntry } from './id-table.js';
import type { HashSeed } from './keyed-hash.js';
import type { RecordNumber } from './records.js';

/** The payload of a record: the day, counted from 1 January 1970. */
const DAY_BYTES = 4;

/** The most bytes that remembering the use of an access key takes whose id has up to 20 characters. */
export const MOST_BYTES_A_USE = mostBytesAnEntry(DAY_BYTES);

/** The newest day that each access key was used on, flat. It outlives keys: what was revoked comes back some day. */
export class UsedAccessKeys {
  readonly #table: IdTable;

  constructor({ mostKeys, hashSeed }: { readonly mostKeys: number; readonly hashSeed: HashSeed }) {
    this.#table = new IdTable({ payloadBytes: DAY_BYTES, mostRecords: mostKeys, hashSeed });
  }

  get size(): number {
    return this.#table.size;
  }

  /** Memory taken, bytes. */
  get bytes(): number {
    return this.#table.bytes;
  }

  /** Returns whether anything changed: an older day than is known already changes nothing. */
  mark(accessKeyId: string, date: ScopeDate): boolean {
    const record = this.#table.add(accessKeyId);
    if (record === NONE) return false;
    this.#table.reference(record);
    const day = startOfScopeDate(date) / DAY_MS;
    if (this.#daysAt(record) >= day) return false;
    this.#table.chunkOf(record).view.setUint32(this.#table.payloadAt(record), day, true);
    return true;
  }

  /** The newest day that an access key was asked for, if any is known. */
  dayOf(accessKeyId: string): ScopeDate | undefined {
    const record = this.#table.find(accessKeyId);
    return record === NONE ? undefined : this.#dateAt(record);
  }

  /** Every access key with the newest day of its use. The table may change between two steps. */
  *entries(): Generator<{ readonly accessKeyId: string; readonly date: ScopeDate }> {
    for (const record of this.#table.entries()) {
      yield { accessKeyId: this.#table.idOf(record), date: this.#dateAt(record) };
    }
  }

  /** Access keys that were last used on `since` or a newer day. The table may change between two steps. */
  *since(since: ScopeDate): Generator<string> {
    const day = startOfScopeDate(since) / DAY_MS;
    for (const record of this.#table.entries()) if (this.#daysAt(record) >= day) yield this.#table.idOf(record);
  }

  #dateAt(record: RecordNumber): ScopeDate {
    return scopeDateOf(this.#daysAt(record) * DAY_MS);
  }

  /** Counted from 1 January 1970. */
  #daysAt(record: RecordNumber): number {
    return this.#table.chunkOf(record).view.getUint32(this.#table.payloadAt(record), true);
  }
}
