import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import { LRUCache } from 'lru-cache';
import { HeldKeys, type HeldKey, type HeldKeysOptions } from './held-keys/held-keys.js';
import type { AccessKeyFacts, IssuedKey } from './key-source.js';

export interface DayOfKeysOptions<Ready> extends Pick<
  HeldKeysOptions,
  'keyBytes' | 'mostKeys' | 'hashSeed' | 'allocate'
> {
  readonly date: ScopeDate;
  /** Makes of a key's bytes what it is used for. They are wiped afterwards. */
  readonly ready: (bytes: Uint8Array) => Ready;
  /** Told once, when for the first time an access key has to make room for another or finds none. */
  readonly onFull: () => void;
}

/** Access keys that are kept ready to use, but no more than a quarter; all others are bytes in a table. */
const MOST_READY = 10_000;

/** The keys of one day: bytes in a table, and what is made of those that are in use. */
export class DayOfKeys<Ready> {
  readonly date: ScopeDate;
  /** Epoch milliseconds of the newest key. */
  fetchedAt = 0;
  readonly #options: DayOfKeysOptions<Ready>;
  readonly #keys: HeldKeys;
  /** Never one that is not in the table. */
  readonly #ready: LRUCache<string, IssuedKey<Ready>>;
  #turnedAway = 0;

  constructor(options: DayOfKeysOptions<Ready>) {
    this.date = options.date;
    this.#options = options;
    this.#ready = new LRUCache({ max: Math.min(MOST_READY, Math.ceil(options.mostKeys / 4)) });
    this.#keys = new HeldKeys({
      ...options,
      isInUse: (accessKeyId) => this.#ready.has(accessKeyId),
      onEvicted: (accessKeyId) => {
        this.#ready.delete(accessKeyId);
        if (this.#keys.evicted + this.#turnedAway === 1) options.onFull();
      },
    });
  }

  get size(): number {
    return this.#keys.size;
  }

  /** Memory taken. */
  get bytes(): number {
    return this.#keys.bytes;
  }

  /** Access keys that had to make room for others. */
  get evicted(): number {
    return this.#keys.evicted;
  }

  /** Access keys for which there was no room, since what was there is pinned. */
  get turnedAway(): number {
    return this.#turnedAway;
  }

  /** A key that is in use already. */
  inUse(accessKeyId: string): IssuedKey<Ready> | undefined {
    return this.#ready.get(accessKeyId);
  }

  /** A key that comes into use. */
  use(accessKeyId: string): IssuedKey<Ready> | undefined {
    const held = this.#keys.get(accessKeyId);
    if (!held) return undefined;
    const issued = { facts: held.facts, key: this.#options.ready(held.key) };
    held.key.fill(0);
    this.#ready.set(accessKeyId, issued);
    return issued;
  }

  has(accessKeyId: string): boolean {
    return this.#keys.has(accessKeyId);
  }

  /** A copy of one key, to be wiped by the caller; that is no use of it. */
  peek(accessKeyId: string): HeldKey | undefined {
    return this.#keys.peek(accessKeyId);
  }

  /**
   * An answer that was on its way while the secret was replaced does not take the place of one that came after it.
   * False when there is no room either.
   */
  put(
    facts: AccessKeyFacts,
    key: Uint8Array,
    options: { readonly isPinned?: boolean },
  ): 'held' | 'outdated' | 'no-room' {
    const outcome = this.#keys.put(facts, key, options);
    if (outcome === 'held') this.#ready.delete(facts.accessKeyId);
    if (outcome === 'no-room') {
      this.#turnedAway += 1;
      if (this.#keys.evicted + this.#turnedAway === 1) this.#options.onFull();
    }
    return outcome;
  }

  delete(accessKeyId: string): boolean {
    this.#ready.delete(accessKeyId);
    return this.#keys.delete(accessKeyId);
  }

  /** Every key, with a copy of its bytes, to be wiped by the caller. Keys may come and go between two steps. */
  entries(): Generator<HeldKey> {
    return this.#keys.entries();
  }

  /** The facts alone, likewise. */
  facts(): Generator<AccessKeyFacts> {
    return this.#keys.facts();
  }

  /** Of one access key, likewise. */
  factsOf(accessKeyId: string): AccessKeyFacts | undefined {
    return this.#keys.factsOf(accessKeyId);
  }

  /** Overwrites everything with zeros. */
  wipe(): void {
    this.#ready.clear();
    this.#keys.wipe();
  }
}
