import type { AccessKeyFacts } from '../key-source.js';
import { NONE } from './blocks.js';
import { IdTable, mostBytesAnEntry } from './id-table.js';
import type { HashSeed } from './keyed-hash.js';
import type { RecordNumber } from './records.js';
import { ServiceLists } from './service-lists.js';

// The payload of a record: version of the secret (4 bytes), number of the list of services (4), creation and expiry
// (8 each, epoch milliseconds; NaN: it does not expire), the key.
const VERSION_AT = 0;
const SERVICES_AT = 4;
const CREATED_AT = 8;
const EXPIRES_AT = 16;
const KEY_AT = 24;

export interface HeldKeysOptions {
  /** Length of every key, bytes: 32 for the rungs of the ladder, 64 for public keys. */
  readonly keyBytes: number;
  /** Access keys that are held at most; ids of more than 24 characters count for two or three. */
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

/** The most bytes that an access key takes whose id has up to 24 characters. */
export function mostBytesAKey(keyBytes: number): number {
  return mostBytesAnEntry(KEY_AT + keyBytes);
}

/** The keys of one day, flat. Key bytes are overwritten with zeros as soon as they are deleted, evicted or replaced. */
export class HeldKeys {
  readonly #keyBytes: number;
  readonly #table: IdTable;
  readonly #services = new ServiceLists();
  #evicted = 0;

  constructor({ keyBytes, mostKeys, hashSeed, allocate, isInUse, onEvicted }: HeldKeysOptions) {
    this.#keyBytes = keyBytes;
    this.#table = new IdTable({
      payloadBytes: KEY_AT + keyBytes,
      mostRecords: mostKeys,
      hashSeed,
      allocate,
      isSpared: (record) => isInUse?.(this.#table.idOf(record)) ?? false,
      onRelease: (record, reason) => {
        this.#services.release(this.#numberOfServices(record));
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
    return this.#table.bytes;
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
    const { bytes, view } = this.#table.chunkOf(record);
    const at = this.#table.payloadAt(record);
    // A new record is all zeros.
    if (facts.version < view.getUint32(at + VERSION_AT, true)) return 'outdated';
    const services = this.#services.numberOf(facts.services);
    this.#services.release(this.#numberOfServices(record));
    view.setUint32(at + VERSION_AT, facts.version, true);
    view.setUint32(at + SERVICES_AT, services, true);
    view.setFloat64(at + CREATED_AT, facts.createdAt, true);
    view.setFloat64(at + EXPIRES_AT, facts.expiresAt ?? Number.NaN, true);
    bytes.set(key, at + KEY_AT);
    // What was pinned stays so when it is fetched anew by somebody who does not know that it is.
    if (isPinned) this.#table.pin(record, true);
    return 'held';
  }

  get(accessKeyId: string): HeldKey | undefined {
    const record = this.#table.find(accessKeyId);
    if (record === NONE) return undefined;
    this.#table.reference(record);
    return this.#read(record);
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
    this.#services.clear();
  }

  #read(record: RecordNumber): HeldKey {
    const at = this.#table.payloadAt(record) + KEY_AT;
    const { bytes } = this.#table.chunkOf(record);
    const key = new Uint8Array(this.#keyBytes);
    for (let i = 0; i < key.length; i += 1) key[i] = bytes[at + i] ?? 0;
    return { facts: this.#factsAt(record), key, isPinned: this.#table.isPinned(record) };
  }

  #factsAt(record: RecordNumber): AccessKeyFacts {
    const { view } = this.#table.chunkOf(record);
    const at = this.#table.payloadAt(record);
    const expiresAt = view.getFloat64(at + EXPIRES_AT, true);
    const services = this.#services.listOf(view.getUint32(at + SERVICES_AT, true));
    return {
      accessKeyId: this.#table.idOf(record),
      version: view.getUint32(at + VERSION_AT, true),
      createdAt: view.getFloat64(at + CREATED_AT, true),
      ...(!Number.isNaN(expiresAt) && { expiresAt }),
      ...(services && { services }),
    };
  }

  #numberOfServices(record: RecordNumber): number {
    return this.#table.chunkOf(record).view.getUint32(this.#table.payloadAt(record) + SERVICES_AT, true);
  }
}
