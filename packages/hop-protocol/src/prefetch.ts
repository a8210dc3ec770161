import { addDays, scopeDateOf, startOfScopeDate } from '@sigv4-keyd/sigv4-core';
import type { CachedKeySource } from './cached-key-source.js';
import { every, type Cancel, type Clock } from './clock.js';
import { MOST_KEYS_A_REQUEST } from './key-source.js';
import { TOMORROW_FROM_MS } from './window-of-days.js';

export interface PrefetchOptions<Key> {
  readonly keys: CachedKeySource<Key>;
  readonly clock: Clock;
  /** A number from 0 up to 1: where in the spread this process begins. */
  readonly random: () => number;
  /** Told once when fetching begins to fail, and once when it goes on. */
  readonly onChange: (failure: unknown) => void;
}

/** How long after noon the last process begins, milliseconds: thousands of edges do not ask at once. */
const SPREAD_MS = 4 * 3_600_000;
const BEAT_MS = 60_000;
/** An access key counts as in use for so many days after it was last asked for, that day included. */
const IN_USE_DAYS = 3;

/**
 * Fetches tomorrow's keys of the access keys that are in use, from some time after noon UTC on, so that nothing
 * needs to be fetched at midnight. What fails is tried again a minute later, and so is what came into use meanwhile.
 */
export class Prefetch<Key> {
  readonly #options: PrefetchOptions<Key>;
  readonly #startAt: number;
  #failing = false;

  constructor(options: PrefetchOptions<Key>) {
    this.#options = options;
    this.#startAt = TOMORROW_FROM_MS + options.random() * SPREAD_MS;
  }

  start(): Cancel {
    return every(this.#options.clock, BEAT_MS, () => this.beat());
  }

  /** Access keys in use whose key of tomorrow is not held, while it could be. */
  lag(): number {
    return this.#missing().length;
  }

  /** Never rejects. */
  async beat(): Promise<void> {
    const { keys, onChange } = this.#options;
    const missing = this.#missing();
    const date = addDays(this.#today(), 1);
    try {
      for (let from = 0; from < missing.length; from += MOST_KEYS_A_REQUEST) {
        await keys.fetchAhead({ date, accessKeyIds: missing.slice(from, from + MOST_KEYS_A_REQUEST) });
      }
      if (this.#failing) onChange(undefined);
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) onChange(error);
      this.#failing = true;
    }
  }

  #missing(): readonly string[] {
    const { keys, clock } = this.#options;
    const today = this.#today();
    if (clock.now() - startOfScopeDate(today) < this.#startAt) return [];
    return keys.usedWithout(addDays(today, 1), addDays(today, 1 - IN_USE_DAYS));
  }

  #today(): ReturnType<typeof scopeDateOf> {
    return scopeDateOf(this.#options.clock.now());
  }
}
