import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import { LRUCache } from 'lru-cache';
import type { Clock } from './clock.js';
import { KeydError } from './errors.js';
import type { HeldDays } from './held-days.js';
import {
  MOST_KEYS_A_REQUEST,
  type Absence,
  type AccessKeyFacts,
  type IssuedKey,
  type KeyAnswer,
  type KeyRequest,
  type KeySource,
} from './key-source.js';
import { LookupBatches, type Finding } from './lookup-batches.js';
import { MissBudget, type MissBudgetLimits } from './miss-budget.js';

export interface CachedKeySourceOptions<Carried, Ready> {
  readonly parent: KeySource<Carried>;
  /** Where keys are held. */
  readonly days: HeldDays<Carried, Ready>;
  readonly clock: Clock;
  /** A number from 0 up to 1, for jitter. */
  readonly random: () => number;
  /** How long an access key that the parent does not know is remembered as absent, milliseconds. */
  readonly absentForMs: number;
  readonly missBudget: MissBudgetLimits;
}

const MOST_ABSENCES = 100_000;

/**
 * A key source that remembers. Keys live as long as their day is in the window; concurrent misses join one request
 * upwards; absent ids are remembered briefly and their number is budgeted, so that made-up access key ids cannot load
 * the tier above. A parent that is down costs only the access keys that are not held yet.
 */
export class CachedKeySource<Carried, Ready = Carried> implements KeySource<Ready> {
  readonly #options: CachedKeySourceOptions<Carried, Ready>;
  readonly #absent: LRUCache<string, { readonly reason: Absence; readonly until: number }>;
  readonly #batches: LookupBatches<Carried>;
  readonly #budget: MissBudget;

  constructor(options: CachedKeySourceOptions<Carried, Ready>) {
    this.#options = options;
    this.#absent = new LRUCache({ max: MOST_ABSENCES });
    this.#budget = new MissBudget(options.missBudget, options.clock);
    this.#batches = new LookupBatches({
      clock: options.clock,
      random: options.random,
      mostAtOnce: MOST_KEYS_A_REQUEST,
      fetch: (date, accessKeyIds) => this.#fetch(date, accessKeyIds),
    });
  }

  /** What is held, whoever brought it. */
  get days(): HeldDays<Carried, Ready> {
    return this.#options.days;
  }

  /** What is known without asking anyone: a key, an absence, or undefined for a miss. Never waits. */
  held(date: ScopeDate, accessKeyId: string): Finding<Ready> | undefined {
    const key = this.days.find(date, accessKeyId);
    if (key) return key;
    const absent = this.#absent.get(`${date}/${accessKeyId}`);
    return absent && absent.until > this.#options.clock.now() ? absent.reason : undefined;
  }

  /** The key of one access key, asking the parent on a miss. Rejects with a KeydError when that cannot be done. */
  async find(date: ScopeDate, accessKeyId: string): Promise<Finding<Ready>> {
    this.#requireInWindow(date);
    const held = this.held(date, accessKeyId);
    if (held !== undefined) return held;
    if (!this.#batches.isAsking(date, accessKeyId) && !this.#budget.allows()) {
      throw new KeydError('too-many-requests', { detail: 'too many unknown access keys are being asked for' });
    }
    const finding = await this.#batches.ask(date, accessKeyId);
    if (typeof finding === 'string') return finding;
    // Where there was no room to hold it, it is good for this once.
    return this.days.find(date, accessKeyId) ?? this.days.readyOnce(finding);
  }

  /**
   * Fetches keys before they are asked for. That is no use of them: an access key that fell out of use stays so.
   * Resolves to the access keys that have none.
   */
  async fetchAhead({ date, accessKeyIds }: KeyRequest): Promise<readonly string[]> {
    this.#requireInWindow(date);
    const findings = await Promise.all(accessKeyIds.map((accessKeyId) => this.#batches.ask(date, accessKeyId)));
    return accessKeyIds.filter((_, i) => typeof findings[i] === 'string');
  }

  async issue(request: KeyRequest): Promise<KeyAnswer<Ready>> {
    const issued = new Map<string, IssuedKey<Ready>>();
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

  /** Forgets all absences, and every held key for which `isHit` holds. Resolves to how many keys went. */
  purge(isHit: (date: ScopeDate, facts: AccessKeyFacts) => boolean): Promise<number> {
    this.#absent.clear();
    return this.days.purge(isHit);
  }

  async #fetch(date: ScopeDate, accessKeyIds: readonly string[]): Promise<KeyAnswer<Carried>> {
    const answer = await this.#options.parent.issue({ date, accessKeyIds });
    const issued = new Map<string, IssuedKey<Carried>>();
    const absent = new Map(answer.absent);
    for (const [id, found] of answer.issued) {
      if (this.days.holdIssued(date, found) === 'revoked') absent.set(id, 'revoked');
      else issued.set(id, found);
    }
    const until = this.#options.clock.now() + this.#options.absentForMs;
    for (const [id, reason] of absent) {
      // The budget is for made-up ids. A revoked one was made here, and may be one of very many that clients still use.
      if (reason !== 'revoked') this.#budget.spend();
      this.#absent.set(`${date}/${id}`, { reason, until });
    }
    return { issued, absent };
  }

  #requireInWindow(date: ScopeDate): void {
    if (!this.days.covers(date)) throw new KeydError('date-outside-window', { detail: date });
  }
}
