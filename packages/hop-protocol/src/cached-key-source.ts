import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import { LRUCache } from 'lru-cache';
import type { Clock } from './clock.js';
import { KeydError } from './errors.js';
import {
  MOST_KEYS_A_REQUEST,
  type Absence,
  type IssuedKey,
  type KeyAnswer,
  type KeyRequest,
  type KeySource,
} from './key-source.js';
import { LookupBatches, type Finding } from './lookup-batches.js';
import { MissBudget, type MissBudgetLimits } from './miss-budget.js';
import { isInWindow, type WindowRule } from './window-of-days.js';

export interface CachedKeySourceOptions<Key> {
  readonly parent: KeySource<Key>;
  readonly clock: Clock;
  /** A number from 0 up to 1, for jitter. */
  readonly random: () => number;
  readonly window: WindowRule;
  /** Keys held a day; the least recently used goes first. */
  readonly mostKeysADay: number;
  /** How long an access key that the parent does not know is remembered as absent, milliseconds. */
  readonly absentForMs: number;
  readonly missBudget: MissBudgetLimits;
}

/** What is held of one day, for status and metrics. */
export interface HeldDay {
  readonly date: ScopeDate;
  readonly keys: number;
  /** Epoch milliseconds of the newest answer for this day. */
  readonly fetchedAt: number;
}

interface Day<Key> {
  readonly keys: LRUCache<string, IssuedKey<Key>>;
  fetchedAt: number;
}

/**
 * A key source that remembers. Keys live as long as their day is in the window; concurrent misses join one request
 * upwards; absent ids are remembered briefly and their number is budgeted, so that made-up access key ids cannot load
 * the tier above. A parent that is down costs only the access keys that are not held yet.
 */
export class CachedKeySource<Key> implements KeySource<Key> {
  readonly #options: CachedKeySourceOptions<Key>;
  readonly #days = new Map<ScopeDate, Day<Key>>();
  /** The day that each access key was last asked for, by anyone but `fetchAhead`. */
  readonly #lastUsed: LRUCache<string, ScopeDate>;
  readonly #absent: LRUCache<string, { readonly reason: Absence; readonly until: number }>;
  readonly #batches: LookupBatches<Key>;
  readonly #budget: MissBudget;

  constructor(options: CachedKeySourceOptions<Key>) {
    this.#options = options;
    this.#lastUsed = new LRUCache({ max: options.mostKeysADay });
    this.#absent = new LRUCache({ max: 100_000 });
    this.#budget = new MissBudget(options.missBudget, options.clock);
    this.#batches = new LookupBatches({
      clock: options.clock,
      random: options.random,
      mostAtOnce: MOST_KEYS_A_REQUEST,
      fetch: (date, accessKeyIds) => this.#fetch(date, accessKeyIds),
    });
  }

  /** What is known without asking anyone: a key, an absence, or undefined for a miss. Never waits. */
  held(date: ScopeDate, accessKeyId: string): Finding<Key> | undefined {
    const key = this.#days.get(date)?.keys.get(accessKeyId);
    if (key) {
      if (this.#lastUsed.get(accessKeyId) !== date) this.#lastUsed.set(accessKeyId, date);
      return key;
    }
    const absent = this.#absent.get(`${date}/${accessKeyId}`);
    return absent && absent.until > this.#options.clock.now() ? absent.reason : undefined;
  }

  /** The key of one access key, asking the parent on a miss. Rejects with a KeydError when that cannot be done. */
  async find(date: ScopeDate, accessKeyId: string): Promise<Finding<Key>> {
    this.#requireInWindow(date);
    const held = this.held(date, accessKeyId);
    if (held !== undefined) return held;
    if (!this.#batches.isAsking(date, accessKeyId) && !this.#budget.allows()) {
      throw new KeydError('too-many-requests', { detail: 'too many unknown access keys are being asked for' });
    }
    const finding = await this.#batches.ask(date, accessKeyId);
    if (typeof finding !== 'string') this.#lastUsed.set(accessKeyId, date);
    return finding;
  }

  /** Fetches keys before they are asked for. That is no use of them: an access key that fell out of use stays so. */
  async fetchAhead({ date, accessKeyIds }: KeyRequest): Promise<void> {
    this.#requireInWindow(date);
    await Promise.all(accessKeyIds.map((accessKeyId) => this.#batches.ask(date, accessKeyId)));
  }

  async issue(request: KeyRequest): Promise<KeyAnswer<Key>> {
    const issued = new Map<string, IssuedKey<Key>>();
    const absent = new Map<string, Absence>();
    await Promise.all(
      request.accessKeyIds.map(async (accessKeyId) => {
        const finding = await this.find(request.date, accessKeyId);
        if (typeof finding === 'string') absent.set(accessKeyId, finding);
        else issued.set(accessKeyId, finding);
      }),
    );
    return { issued, absent };
  }

  /** Forgets every day outside the window. */
  expire(): void {
    const now = this.#options.clock.now();
    for (const date of this.#days.keys()) {
      if (!isInWindow(this.#options.window, date, now)) this.#days.delete(date);
    }
  }

  /** Forgets every key for which `isHit` holds, and all absences. Returns how many keys went. */
  purge(isHit: (date: ScopeDate, facts: IssuedKey<Key>['facts']) => boolean): number {
    let purged = 0;
    for (const [date, day] of this.#days) {
      for (const [accessKeyId, { facts }] of [...day.keys.entries()]) {
        if (isHit(date, facts) && day.keys.delete(accessKeyId)) purged += 1;
      }
    }
    this.#absent.clear();
    return purged;
  }

  /** Access keys that were last asked for on `since` or a later day, and whose key of `date` is not held. */
  usedWithout(date: ScopeDate, since: ScopeDate): readonly string[] {
    const held = this.#days.get(date)?.keys;
    return [...this.#lastUsed].flatMap(([id, used]) => (used >= since && !held?.has(id) ? [id] : []));
  }

  heldDays(): readonly HeldDay[] {
    return [...this.#days]
      .map(([date, day]) => ({ date, keys: day.keys.size, fetchedAt: day.fetchedAt }))
      .sort((a, b) => (a.date < b.date ? -1 : 1));
  }

  async #fetch(date: ScopeDate, accessKeyIds: readonly string[]): Promise<KeyAnswer<Key>> {
    const answer = await this.#options.parent.issue({ date, accessKeyIds });
    const now = this.#options.clock.now();
    const day = this.#dayOf(date);
    day.fetchedAt = now;
    for (const [id, issued] of answer.issued) day.keys.set(id, issued);
    for (const [id, reason] of answer.absent) {
      // The budget is for made-up ids. A revoked one was made here, and may be one of very many that clients still use.
      if (reason !== 'revoked') this.#budget.spend();
      this.#absent.set(`${date}/${id}`, { reason, until: now + this.#options.absentForMs });
    }
    return answer;
  }

  #dayOf(date: ScopeDate): Day<Key> {
    const known = this.#days.get(date);
    if (known) return known;
    const day: Day<Key> = { keys: new LRUCache({ max: this.#options.mostKeysADay }), fetchedAt: 0 };
    this.#days.set(date, day);
    return day;
  }

  #requireInWindow(date: ScopeDate): void {
    if (!isInWindow(this.#options.window, date, this.#options.clock.now())) {
      throw new KeydError('date-outside-window', { detail: date });
    }
  }
}
