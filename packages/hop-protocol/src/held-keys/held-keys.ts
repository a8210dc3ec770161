import { bytesApart } from '@sigv4-keyd/sigv4-core';
import type { AccessKeyFacts } from '../key-source.js';
import { NONE } from './blocks.js';
import { FACTS_BYTES, FactsStore, UNUSUAL_FACTS_BYTES, type FactsPlace } from './facts-store.js';
import { IdTable, mostBytesAnEntry } from './id-table.js';
import type { HashSeed } from './keyed-hash.js';
import type { RecordNumber } from './records.js';

// The payload of a record: the facts, the key.
const KEY_AT = FACTS_BYTES;

export interface HeldKeysOptions {
  /** Length of every key, bytes: 32 for the rungs of the ladder, 64 for public keys. */
  readonly keyBytes: number;
  /** Access keys that are held at most; ids of more than 20 characters count for two or three. */
  readonly mostKeys: number;
  readonly hashSeed: HashSeed;
  /** Zeroed memory. */
  readonly allocate?: (bytes: number) => Uint8Array;
  /** Whether an access key is in use although `get` was not called lately. */
  readonly isInUse?: (accessKeyId: string) => boolean;
  /** Told of each access key that had to make room for another. */
  readonly onEvicted?: (accessKeyId: string) => void;
}

export interface HeldKey {
  readonly facts: AccessKeyFacts;
  /** A copy, which the caller owns and wipes. */
  readonly key: Uint8Array;
  readonly isPinned: boolean;
}

/**
 * The most bytes that an access key takes whose id has up to 20 characters: one that expires or is restricted to
 * services, right after the index grew.
 */
export function mostBytesAKey(keyBytes: number): number {
  return mostBytesAnEntry(KEY_AT + keyBytes) + UNUSUAL_FACTS_BYTES;
}

/** The keys of one day, flat. Key bytes are overwritten with zeros as soon as they are deleted, evicted or replaced. */
export class HeldKeys {
  readonly #keyBytes: number;
  readonly #table: IdTable;
  readonly #facts: FactsStore;
  #evicted = 0;

  constructor(options: HeldKeysOptions) {
    const { keyBytes, mostKeys, hashSeed, isInUse, onEvicted } = options;
    const { allocate = (bytes: number) => new Uint8Array(bytes) } = options;
    this.#keyBytes = keyBytes;
    this.#facts = new FactsStore({ most: mostKeys, allocate });
    this.#table = new IdTable({
      payloadBytes: KEY_AT + keyBytes,
      mostRecords: mostKeys,
      hashSeed,
      allocate,
      isSpared: (record) => isInUse?.(this.#table.idOf(record)) ?? false,
      onRelease: (record, reason) => {
        this.#facts.release(this.#placeOf(record));
        if (reason === 'removed') return;
        this.#evicted += 1;
        onEvicted?.(this.#table.idOf(record));
      },
    });
  }

  get size(): number {
    return this.#table.size;
  }

  /** Memory taken, bytes. */
  get bytes(): number {
    return this.#table.bytes + this.#facts.bytes;
  }

  /** How many access keys had to make room so far. */
  get evicted(): number {
    return this.#evicted;
  }

  /**
   * Holds a key in place of the one that was held for this access key; one of an older version of its secret is
   * 'outdated' and changes nothing. 'no-room' when everything that could go is pinned. Throws RangeError for a key of
   * another length or an id that cannot be one.
   */
  put(
    facts: AccessKeyFacts,
    key: Uint8Array,
    { isPinned = false }: { readonly isPinned?: boolean } = {},
  ): 'held' | 'outdated' | 'no-room' {
    if (key.length !== this.#keyBytes)
      throw new RangeError(`a key has ${this.#keyBytes} bytes here, not ${key.length}`);
    const record = this.#table.add(facts.accessKeyId);
    if (record === NONE) return 'no-room';
    const place = this.#placeOf(record);
    if (facts.version < this.#facts.versionAt(place)) return 'outdated';
    this.#facts.write(place, facts);
    place.chunk.bytes.set(key, place.at + KEY_AT);
    // What was pinned stays so when it is fetched anew by somebody who does not know that it is.
    if (isPinned) this.#table.pin(record, true);
    return 'held';
  }

  get(accessKeyId: string): HeldKey | undefined {
    const record = this.#table.find(accessKeyId);
    if (record === NONE) return undefined;
    this.#table.reference(record);
    // Native code makes a key of it.
    return this.#read(record, bytesApart(this.#keyBytes));
  }

  /** Without counting as a use. */
  peek(accessKeyId: string): HeldKey | undefined {
    const record = this.#table.find(accessKeyId);
    return record === NONE ? undefined : this.#read(record);
  }

  /** Without counting as a use. */
  has(accessKeyId: string): boolean {
    return this.#table.find(accessKeyId) !== NONE;
  }

  /** The facts of one access key, likewise; no key is copied. */
  factsOf(accessKeyId: string): AccessKeyFacts | undefined {
    const record = this.#table.find(accessKeyId);
    return record === NONE ? undefined : this.#factsAt(record);
  }

  delete(accessKeyId: string): boolean {
    const record = this.#table.find(accessKeyId);
    if (record === NONE) return false;
    this.#table.remove(record);
    return true;
  }

  /**
   * Every key, with a copy of its bytes. The table may change between two steps: what is there from beginning to end
   * comes exactly once, what is added or removed meanwhile may come or not.
   */
  *entries(): Generator<HeldKey> {
    for (const record of this.#table.entries()) yield this.#read(record);
  }

  /** The facts alone, likewise; no key is copied. */
  *facts(): Generator<AccessKeyFacts> {
    for (const record of this.#table.entries()) yield this.#factsAt(record);
  }

  /** Overwrites everything with zeros. */
  wipe(): void {
    this.#table.wipe();
    this.#facts.wipe();
  }

  /** By default for JavaScript alone: whole days are copied so, and apart it would take five times as long. */
  #read(record: RecordNumber, key: Uint8Array = new Uint8Array(this.#keyBytes)): HeldKey {
    const at = this.#table.payloadAt(record) + KEY_AT;
    const { bytes } = this.#table.chunkOf(record);
    for (let i = 0; i < key.length; i += 1) key[i] = bytes[at + i] ?? 0;
    return { facts: this.#factsAt(record), key, isPinned: this.#table.isPinned(record) };
  }

  #factsAt(record: RecordNumber): AccessKeyFacts {
    return { accessKeyId: this.#table.idOf(record), ...this.#facts.read(this.#placeOf(record)) };
  }

  #placeOf(record: RecordNumber): FactsPlace {
    return { chunk: this.#table.chunkOf(record), at: this.#table.payloadAt(record) };
  }
}
