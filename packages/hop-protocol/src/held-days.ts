import { setImmediate as otherWork } from 'node:timers/promises';
import { isInWindow, scopeDateOf, windowOfDays, type ScopeDate, type WindowRule } from '@sigv4-keyd/sigv4-core';
import type { Cancel, Clock } from './clock.js';
import { DayOfKeys } from './day-of-keys.js';
import type { HeldKey } from './held-keys/held-keys.js';
import { keysADay } from './held-keys/key-memory.js';
import type { HashSeed } from './held-keys/keyed-hash.js';
import { UsedAccessKeys } from './held-keys/used-access-keys.js';
import type { Hop } from './hops.js';
import type { AccessKeyFacts, DenialOf, IssuedKey } from './key-source.js';
import type { HeldDay, HeldDaysListener, Holding, HoldOptions } from './holding.js';

export interface HeldDaysOptions<Carried, Ready> {
  /** The hop that the keys come down by: how they are laid flat. */
  readonly hop: Pick<Hop<Carried>, 'keyBytes' | 'exportKey' | 'importKey'>;
  /** Makes of a key what it is used for, once for all uses while it is in use. */
  readonly ready: (key: Carried) => Ready;
  readonly clock: Clock;
  readonly window: WindowRule;
  /** For the keys of all days, shared out alike, and for who used them when. */
  readonly memoryBytes: number;
  readonly hashSeed: HashSeed;
  /** Keys that are denied are not held. */
  readonly denialOf: DenialOf;
  /** Zeroed memory; by default from the heap of ArrayBuffers. */
  readonly allocate?: (bytes: number) => Uint8Array;
}

/** Held keys that are looked at before other work has its turn. */
const SLICE = 2_000;

/**
 * The keys of the days of the window, and who used them. Keys lie flat in memory; only those in use are objects. What
 * is deleted, evicted or expired is overwritten with zeros.
 */
export class HeldDays<Carried, Ready = Carried> {
  readonly #options: HeldDaysOptions<Carried, Ready>;
  readonly #mostKeysADay: number;
  readonly #days = new Map<ScopeDate, DayOfKeys<Ready>>();
  readonly #listeners = new Set<HeldDaysListener>();
  /** The newest day that each access key was used on. */
  readonly used: UsedAccessKeys;

  constructor(options: HeldDaysOptions<Carried, Ready>) {
    this.#options = options;
    const { memoryBytes, window, hashSeed, hop } = options;
    this.#mostKeysADay = keysADay({ memoryBytes, window, keyBytes: hop.keyBytes });
    this.used = new UsedAccessKeys({ mostKeys: this.#mostKeysADay, hashSeed });
  }

  get mostKeysADay(): number {
    return this.#mostKeysADay;
  }

  get window(): WindowRule {
    return this.#options.window;
  }

  /** Whether the day is in the window. */
  covers(date: ScopeDate): boolean {
    return isInWindow(this.#options.window, date, this.#options.clock.now());
  }

  /** The days of the window, oldest first. */
  inWindow(): readonly ScopeDate[] {
    return windowOfDays(this.#options.window, this.#options.clock.now());
  }

  /** Whether any key of the day of an instant, epoch milliseconds, is held. */
  holdsAny(instant: number): boolean {
    return (this.#days.get(scopeDateOf(instant))?.size ?? 0) > 0;
  }

  /** A key to use now, which counts as a use of its access key. */
  find(date: ScopeDate, accessKeyId: string): IssuedKey<Ready> | undefined {
    const day = this.#days.get(date);
    const inUse = day?.inUse(accessKeyId);
    if (inUse || !day) return inUse;
    const issued = day.use(accessKeyId);
    // Once a day is enough: as long as it is in use, it counts as used on this day already.
    if (issued && this.used.mark(accessKeyId, date)) for (const { onUsed } of this.#listeners) onUsed?.(accessKeyId);
    return issued;
  }

  /** A held key as bytes, to be wiped by the caller. It is no use of its access key. */
  copyOf(date: ScopeDate, accessKeyId: string): HeldKey | undefined {
    return this.#days.get(date)?.peek(accessKeyId);
  }

  /** What came with the newest key of an access key that is held, of whatever day. */
  newestFacts(accessKeyId: string): AccessKeyFacts | undefined {
    const newestFirst = [...this.#days].sort(([one], [other]) => (one < other ? 1 : -1));
    for (const [, day] of newestFirst) {
      const facts = day.factsOf(accessKeyId);
      if (facts) return facts;
    }
    return undefined;
  }

  has(date: ScopeDate, accessKeyId: string): boolean {
    return this.#days.get(date)?.has(accessKeyId) ?? false;
  }

  /**
   * Holds a key in place of the one that was held, wherever it comes from: keys that are denied and those of days
   * outside the window are not taken. The caller keeps `key` and wipes it.
   */
  hold(date: ScopeDate, facts: AccessKeyFacts, key: Uint8Array, options: HoldOptions = {}): Holding {
    if (!this.covers(date)) return 'outside-window';
    const denial = this.#options.denialOf(date, facts);
    if (denial !== undefined) return denial;
    const day = this.#days.get(date) ?? this.#open(date);
    const outcome = day.put(facts, key, options);
    if (outcome !== 'held') return outcome;
    day.fetchedAt = Math.max(day.fetchedAt, options.fetchedAt ?? this.#options.clock.now());
    for (const { onHeld } of this.#listeners) onHeld?.(date, facts.accessKeyId);
    return 'held';
  }

  /** Holds a key that the parent has issued, likewise. */
  holdIssued(date: ScopeDate, { facts, key }: IssuedKey<Carried>): Holding {
    const bytes = this.#options.hop.exportKey(key);
    try {
      return this.hold(date, facts, bytes);
    } finally {
      bytes.fill(0);
    }
  }

  /** A key that there was no room to hold, for this one use. */
  readyOnce({ facts, key }: IssuedKey<Carried>): IssuedKey<Ready> {
    return { facts, key: this.#options.ready(key) };
  }

  /** Forgets every day outside the window. */
  expire(): void {
    for (const [date, day] of this.#days) {
      if (this.covers(date)) continue;
      this.#days.delete(date);
      day.wipe();
      for (const { onExpired } of this.#listeners) onExpired?.(date);
    }
  }

  /**
   * Forgets every key for which `isHit` holds, some thousands at once and the others in turns with other work: whoever
   * uses a key asks about it beforehand. Resolves to how many went.
   */
  async purge(isHit: (date: ScopeDate, facts: AccessKeyFacts) => boolean): Promise<number> {
    let seen = 0;
    let purged = 0;
    for (const [date, day] of this.#days) {
      for (const facts of day.facts()) {
        if (isHit(date, facts) && this.delete(date, facts.accessKeyId)) purged += 1;
        seen += 1;
        if (seen % SLICE === 0) await otherWork();
      }
    }
    return purged;
  }

  /** Forgets the keys of an access key that are denied by now. Returns how many went. */
  judgeAgain(accessKeyId: string): number {
    let wiped = 0;
    for (const [date, day] of this.#days) {
      const facts = day.factsOf(accessKeyId);
      const isDenied = facts !== undefined && this.#options.denialOf(date, facts) !== undefined;
      if (isDenied && this.delete(date, accessKeyId)) wiped += 1;
    }
    return wiped;
  }

  /** Forgets one key. */
  delete(date: ScopeDate, accessKeyId: string): boolean {
    if (this.#days.get(date)?.delete(accessKeyId) !== true) return false;
    for (const { onWiped } of this.#listeners) onWiped?.(date, accessKeyId);
    return true;
  }

  /** Keys held of a day. */
  sizeOf(date: ScopeDate): number {
    return this.#days.get(date)?.size ?? 0;
  }

  /** Every key of a day with a copy of its bytes, to be wiped by the caller. Keys may come and go between two steps. */
  *entries(date: ScopeDate): Generator<HeldKey> {
    const day = this.#days.get(date);
    if (day) yield* day.entries();
  }

  /** Oldest first. */
  status(): readonly HeldDay[] {
    return [...this.#days.values()]
      .map(({ date, size, fetchedAt, evicted, turnedAway, bytes }) => {
        return { date, keys: size, fetchedAt, evicted, turnedAway, bytes };
      })
      .sort((a, b) => (a.date < b.date ? -1 : 1));
  }

  subscribe(listener: HeldDaysListener): Cancel {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #open(date: ScopeDate): DayOfKeys<Ready> {
    this.expire();
    const { hop, ready, hashSeed, allocate } = this.#options;
    const day = new DayOfKeys({
      date,
      keyBytes: hop.keyBytes,
      mostKeys: this.#mostKeysADay,
      hashSeed,
      ...(allocate && { allocate }),
      ready: (bytes) => ready(hop.importKey(bytes)),
      onFull: () => {
        for (const { onFull } of this.#listeners) onFull?.(date);
      },
    });
    this.#days.set(date, day);
    return day;
  }
}
