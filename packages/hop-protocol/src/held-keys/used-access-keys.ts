import { DAY_MS, scopeDateOf, startOfScopeDate, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import { NONE } from './blocks.js';
import { IdTable, mostBytesAnEntry } from './id-table.js';
import type { HashSeed } from './keyed-hash.js';
import type { RecordNumber } from './records.js';

/** The payload of a record: the day, counted from 1 January 1970. */
const DAY_BYTES = 4;

/** The most bytes that remembering the use of an access key takes whose id has up to 24 characters. */
export const MOST_BYTES_A_USE = mostBytesAnEntry(DAY_BYTES);

/** The newest day that each access key was used on, flat. It outlives keys: what was revoked comes back some day. */
export class UsedAccessKeys {
  readonly #table: IdTable;
  #changes = 0;

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

  /** Grows whenever an access key comes into use on a newer day. */
  get changes(): number {
    return this.#changes;
  }

  /** An older day than is known already changes nothing. */
  mark(accessKeyId: string, date: ScopeDate): void {
    const record = this.#table.add(accessKeyId);
    if (record === NONE) return;
    this.#table.reference(record);
    const day = startOfScopeDate(date) / DAY_MS;
    if (this.#dayOf(record) >= day) return;
    this.#table.chunkOf(record).view.setUint32(this.#table.payloadAt(record), day, true);
    this.#changes += 1;
  }

  /** Every access key with the newest day of its use. The table may change between two steps. */
  *entries(): Generator<{ readonly accessKeyId: string; readonly date: ScopeDate }> {
    for (const record of this.#table.entries()) {
      yield { accessKeyId: this.#table.idOf(record), date: scopeDateOf(this.#dayOf(record) * DAY_MS) };
    }
  }

  /** Access keys that were last used on `since` or a newer day. The table may change between two steps. */
  *since(since: ScopeDate): Generator<string> {
    const day = startOfScopeDate(since) / DAY_MS;
    for (const record of this.#table.entries()) if (this.#dayOf(record) >= day) yield this.#table.idOf(record);
  }

  #dayOf(record: RecordNumber): number {
    return this.#table.chunkOf(record).view.getUint32(this.#table.payloadAt(record), true);
  }
}
