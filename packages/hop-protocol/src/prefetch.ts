import { setImmediate as otherWork } from 'node:timers/promises';
import { addDays, isSessionAccessKeyId, scopeDateOf, startOfScopeDate, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import { LRUCache } from 'lru-cache';
import type { CachedKeySource } from './cached-key-source.js';
import { every, type Cancel, type Clock } from './clock.js';
import { MOST_KEYS_A_REQUEST } from './key-source.js';
import { prefetchMoment, type PrefetchHours } from './prefetch-hours.js';

/** Keys that are wanted although nobody has used them: those that operators pinned, or all of a day. */
export interface WantedKeys {
  /**
   * Has the wanted keys of a day held, going on where an earlier call left off; resolves at once when they are. Rejects
   * with a KeydError when that cannot be done now, and is called again a beat later.
   */
  bring(date: ScopeDate): Promise<void>;
  /** The days of which more keys are wanted than can be held. */
  readonly daysCutShort: readonly ScopeDate[];
}

export interface PrefetchOptions<Carried, Ready> {
  readonly keys: CachedKeySource<Carried, Ready>;
  /** Brought from the start on for today, and with tomorrow's keys. */
  readonly wanted?: WantedKeys;
  readonly hours: PrefetchHours;
  /** Our SPIFFE id. */
  readonly identity: string;
  readonly clock: Clock;
  /** A number from 0 up to 1, for jitter. */
  readonly random: () => number;
  /** Told once when fetching begins to fail, and once, with undefined, when it goes on. */
  readonly onChange: (failure: unknown) => void;
}

/** How far behind the fetching of tomorrow's keys is. */
export interface PrefetchLag {
  /** Access keys in use whose key of tomorrow could be held and is not, as of the last look, a minute ago at most. */
  readonly accessKeys: number;
  /** Epoch milliseconds since when there have been such; absent when there are none. */
  readonly since?: number;
}

const BEAT_MS = 60_000;
/** Failures in a row after which a beat is not waited for, and the longest pause after the first; doubled each time. */
const RETRIES = 5;
const FIRST_PAUSE_MS = 2_000;
/** At least, so that no stroke of luck makes a loop. */
const LEAST_PAUSE_MS = 250;
/** An access key counts as in use for so many days after it was last asked for, that day included. */
const IN_USE_DAYS = 3;
/** Access keys that are looked at before other work has its turn. */
const SLICE = 2_000;
/** An access key that tomorrow has no key for (it was disabled, say) is not asked for again before this has passed. */
const ABSENT_FOR_MS = 3_600_000;
const MOST_ABSENCES = 100_000;

/**
 * Fetches tomorrow's keys of the access keys that are in use, from some time after noon UTC on, so that nothing
 * needs to be fetched at midnight. What fails is tried again a minute later, and so is what came into use meanwhile.
 */
export class Prefetch<Carried, Ready = Carried> {
  readonly #options: PrefetchOptions<Carried, Ready>;
  readonly #absent = new LRUCache<string, number>({ max: MOST_ABSENCES });
  #day: ScopeDate | undefined;
  #beginsAt = 0;
  #lag: PrefetchLag = { accessKeys: 0 };
  #fetchedAhead: ScopeDate | undefined;
  /** Beats that failed in a row. */
  #failures = 0;
  #cancelRetry: Cancel = () => undefined;
  #beat: Promise<void> | undefined;

  constructor(options: PrefetchOptions<Carried, Ready>) {
    this.#options = options;
  }

  start(): Cancel {
    void this.beat();
    const stop = every(this.#options.clock, BEAT_MS, () => this.beat());
    return () => {
      stop();
      this.#cancelRetry();
    };
  }

  get lag(): PrefetchLag {
    return this.#lag;
  }

  /** The newest day whose keys of all access keys in use were fetched; undefined while some are missing. */
  get fetchedAhead(): ScopeDate | undefined {
    return this.#lag.accessKeys === 0 ? this.#fetchedAhead : undefined;
  }

  /** Never rejects. */
  beat(): Promise<void> {
    this.#beat ??= this.#fetch().finally(() => {
      this.#beat = undefined;
    });
    return this.#beat;
  }

  async #fetch(): Promise<void> {
    const { wanted, onChange } = this.#options;
    const today = this.#turnDay();
    try {
      const tomorrow = this.#hasBegun(today) ? addDays(today, 1) : undefined;
      // First what clients use: a stream that takes long, or fails, must not hold it up.
      if (tomorrow !== undefined) {
        await this.#fetchUsed(tomorrow, addDays(today, 1 - IN_USE_DAYS));
        this.#fetchedAhead = tomorrow;
      }
      await wanted?.bring(today);
      if (tomorrow !== undefined) await wanted?.bring(tomorrow);
      if (this.#failures > 0) onChange(undefined);
      this.#failures = 0;
    } catch (error) {
      if (this.#failures === 0) onChange(error);
      this.#failures += 1;
      this.#retrySoon();
    }
  }

  /** The first failures may be no more than our parent's start; those that go on have time until the next beat. */
  #retrySoon(): void {
    const { clock, random } = this.#options;
    this.#cancelRetry();
    if (this.#failures > RETRIES) return;
    // Full jitter: those who failed together do not come back together.
    const pauseMs = Math.max(LEAST_PAUSE_MS, random() * FIRST_PAUSE_MS * 2 ** (this.#failures - 1));
    this.#cancelRetry = clock.after(pauseMs, () => void this.beat());
  }

  /** The day of now; on a new one nothing is behind yet, and chance is asked anew when to begin. */
  #turnDay(): ScopeDate {
    const { clock, hours, identity, random } = this.#options;
    const today = scopeDateOf(clock.now());
    if (today === this.#day) return today;
    this.#day = today;
    this.#beginsAt = prefetchMoment(hours, identity, random());
    this.#lag = { accessKeys: 0 };
    this.#absent.clear();
    return today;
  }

  #hasBegun(today: ScopeDate): boolean {
    return this.#options.clock.now() - startOfScopeDate(today) >= this.#beginsAt;
  }

  async #fetchUsed(date: ScopeDate, since: ScopeDate): Promise<void> {
    const missing = await this.#missing(date, since);
    let left = missing.length;
    this.#tellLag(left);
    for (let from = 0; from < missing.length; from += MOST_KEYS_A_REQUEST) {
      const accessKeyIds = missing.slice(from, from + MOST_KEYS_A_REQUEST);
      const absent = await this.#options.keys.fetchAhead({ date, accessKeyIds });
      for (const accessKeyId of absent) this.#absent.set(accessKeyId, this.#options.clock.now() + ABSENT_FOR_MS);
      left -= accessKeyIds.length;
      this.#tellLag(left);
    }
  }

  async #missing(date: ScopeDate, since: ScopeDate): Promise<readonly string[]> {
    const { keys, clock } = this.#options;
    const now = clock.now();
    const missing: string[] = [];
    let seen = 0;
    for (const accessKeyId of keys.days.used.since(since)) {
      const isAbsent = (this.#absent.get(accessKeyId) ?? 0) > now;
      if (!keys.days.has(date, accessKeyId) && !isAbsent && !this.#isOver(accessKeyId, date)) missing.push(accessKeyId);
      seen += 1;
      if (seen % SLICE === 0) await otherWork();
    }
    return missing;
  }

  /**
   * A session that ends before the day begins, which nobody can put off; one of which no key is held any more has not
   * been used for as long as sessions last. There may be very many.
   */
  #isOver(accessKeyId: string, date: ScopeDate): boolean {
    if (!isSessionAccessKeyId(accessKeyId)) return false;
    const facts = this.#options.keys.days.newestFacts(accessKeyId);
    return facts === undefined || (facts.expiresAt ?? Infinity) <= startOfScopeDate(date);
  }

  #tellLag(accessKeys: number): void {
    const since = this.#lag.since ?? this.#options.clock.now();
    this.#lag = accessKeys === 0 ? { accessKeys } : { accessKeys, since };
  }
}
