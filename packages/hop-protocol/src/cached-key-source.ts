import { setImmediate as otherWork } from 'node:timers/promises';
import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import { LRUCache } from 'lru-cache';
import type { Cancel, Clock } from './clock.js';
import { KeydError } from './errors.js';
import type { MissCounts } from './key-gauges.js';
import type { HeldDays } from './held-days.js';
import {
  isAbsence,
  MOST_KEYS_A_REQUEST,
  type Absence,
  type AccessKeyFacts,
  type IssuedKey,
  type KeyAnswer,
  type KeyRequest,
  type KeySource,
} from './key-source.js';
import { LookupBatches, type Finding } from './lookup-batches.js';
import { findPatiently } from './find-patiently.js';
import { TokenBucket, type TokenRate } from './token-bucket.js';

export interface CachedKeySourceOptions<Carried, Ready> {
  readonly parent: KeySource<Carried>;
  /** Where keys are held. */
  readonly days: HeldDays<Carried, Ready>;
  readonly clock: Clock;
  /** A number from 0 up to 1, for jitter. */
  readonly random: () => number;
  /** How long an access key that the parent does not know is remembered as absent, milliseconds; 5 s by default. */
  readonly absentForMs?: number;
  /**
   * How many absent access keys are asked for. Finding a real key costs nothing, so honest traffic never meets it; a
   * flood of made-up ids does after the burst, and the tier above sees no more of it than so many a second.
   */
  readonly missBudget: TokenRate;
}

/** Absent access keys are asked for again after this long, so that a new one works within seconds. */
const ABSENT_FOR_MS = 5_000;
const MOST_ABSENCES = 100_000;
/** An access key that the parent could not ask about is asked for again after this. */
const UNAVAILABLE_FOR_MS = 1_000;
/** Keys that are looked up before other work has its turn. */
const SLICE = 500;

/**
 * A key source that remembers. Keys live as long as their day is in the window; concurrent misses join one request
 * upwards; absent ids are remembered briefly and their number is budgeted, so that made-up access key ids cannot load
 * the tier above. A parent that is down costs only the access keys that are not held yet.
 */
export class CachedKeySource<Carried, Ready = Carried> implements KeySource<Ready> {
  readonly #options: CachedKeySourceOptions<Carried, Ready>;
  readonly #absent: LRUCache<string, { readonly reason: Absence; readonly until: number }>;
  readonly #batches: LookupBatches<Carried>;
  readonly #budget: TokenBucket;
  #onShared: (requestId: string, others: readonly string[]) => void = () => undefined;
  readonly #misses = { asked: 0, absent: 0, refused: 0, failed: 0 };

  constructor(options: CachedKeySourceOptions<Carried, Ready>) {
    this.#options = options;
    this.#absent = new LRUCache({ max: MOST_ABSENCES });
    this.#budget = new TokenBucket(options.missBudget, options.clock);
    this.#batches = new LookupBatches({
      clock: options.clock,
      random: options.random,
      mostAtOnce: MOST_KEYS_A_REQUEST,
      fetch: (date, accessKeyIds, requestId) => this.#fetch({ date, accessKeyIds }, requestId),
      onShared: (requestId, others) => this.#onShared(requestId, others),
    });
  }

  /** What is held, whoever brought it. */
  get days(): HeldDays<Carried, Ready> {
    return this.#options.days;
  }

  /** Told when requests have asked the tier above together: whose id went up, and the ids of the others. */
  onShared(listener: (requestId: string, others: readonly string[]) => void): Cancel {
    this.#onShared = listener;
    return () => {
      this.#onShared = () => undefined;
    };
  }

  /** What could not be answered from memory, since the start. */
  get misses(): MissCounts {
    return { ...this.#misses };
  }

  /** What is known without asking anyone: a key, an absence, or undefined for a miss. Never waits. */
  held(date: ScopeDate, accessKeyId: string): Finding<Ready> | undefined {
    const key = this.days.find(date, accessKeyId);
    if (key) return key;
    const absent = this.#absent.get(`${date}/${accessKeyId}`);
    return absent && absent.until > this.#options.clock.now() ? absent.reason : undefined;
  }

  /** The key of one access key, asking the parent on a miss. Rejects with a KeydError when that cannot be done. */
  async find(date: ScopeDate, accessKeyId: string, requestId?: string): Promise<Finding<Ready>> {
    this.#requireInWindow(date);
    const held = this.held(date, accessKeyId);
    if (held !== undefined) return held;
    if (!this.#batches.isAsking(date, accessKeyId) && !this.#budget.allows()) {
      this.#misses.refused += 1;
      throw new KeydError('too-many-requests', { detail: 'too many unknown access keys are being asked for' });
    }
    const finding = await this.#batches.ask(date, accessKeyId, requestId);
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
    if (findings.includes('unavailable')) throw new KeydError('parent-unavailable');
    return accessKeyIds.filter((_, i) => typeof findings[i] === 'string');
  }

  /**
   * The keys of many access keys. Those that are held do not wait for long for the others: what the parent has not told
   * by then is `unavailable` in this answer, and held for the next. Rejects when nothing at all is known.
   */
  async issue({ date, accessKeyIds }: KeyRequest, requestId?: string): Promise<KeyAnswer<Ready>> {
    this.#requireInWindow(date);
    const known = new Map<string, Finding<Ready>>();
    const missing: string[] = [];
    for (const [i, accessKeyId] of accessKeyIds.entries()) {
      if (i > 0 && i % SLICE === 0) await otherWork();
      const held = this.held(date, accessKeyId);
      if (held === undefined) missing.push(accessKeyId);
      else known.set(accessKeyId, held);
    }
    const { clock } = this.#options;
    const find = (accessKeyId: string): Promise<Finding<Ready>> => this.find(date, accessKeyId, requestId);
    await findPatiently(missing, { known, clock, find });
    return answerOf(accessKeyIds, known);
  }

  /** Forgets all absences, and every held key for which `isHit` holds. Resolves to how many keys went. */
  purge(isHit: (date: ScopeDate, facts: AccessKeyFacts) => boolean): Promise<number> {
    this.#absent.clear();
    return this.days.purge(isHit);
  }

  /**
   * Something has changed of these access keys: what is held of them is judged again, and what was remembered of their
   * absence is forgotten. The first hundreds at once, the others in turns. Resolves to how many keys went.
   */
  async judgeAgain(accessKeyIds: readonly string[]): Promise<number> {
    let wiped = 0;
    for (const [i, accessKeyId] of accessKeyIds.entries()) {
      if (i > 0 && i % SLICE === 0) await otherWork();
      wiped += this.days.judgeAgain(accessKeyId);
      for (const date of this.days.inWindow()) this.#absent.delete(`${date}/${accessKeyId}`);
    }
    return wiped;
  }

  async #fetch(request: KeyRequest, requestId: string | undefined): Promise<KeyAnswer<Carried>> {
    const { date } = request;
    const answer = await this.#ask(request, requestId);
    const issued = new Map<string, IssuedKey<Carried>>();
    const absent = new Map(answer.absent);
    for (const [id, found] of answer.issued) {
      const holding = this.days.holdIssued(date, found);
      if (isAbsence(holding)) absent.set(id, holding);
      else issued.set(id, found);
    }
    for (const [id, reason] of absent) this.#rememberAbsent(date, id, reason);
    return { issued, absent };
  }

  #rememberAbsent(date: ScopeDate, accessKeyId: string, reason: Absence): void {
    const { clock, absentForMs = ABSENT_FOR_MS } = this.#options;
    const isUnavailable = reason === 'unavailable';
    const until = clock.now() + (isUnavailable ? Math.min(UNAVAILABLE_FOR_MS, absentForMs) : absentForMs);
    this.#absent.set(`${date}/${accessKeyId}`, { reason, until });
    this.#misses[isUnavailable ? 'failed' : 'absent'] += 1;
    // The budget is for made-up ids, and many of them in flight together may go beyond it: those are paid off later.
    // A revoked one was made here, and may be one of very many that clients still use.
    // One that is unavailable may be either, so it counts, but leaves no debt for the time when it is available again.
    if (isUnavailable) this.#budget.spend({ mayOwe: false });
    else if (reason !== 'revoked') this.#budget.spend({ mayOwe: true });
  }

  async #ask(request: KeyRequest, requestId: string | undefined): Promise<KeyAnswer<Carried>> {
    this.#misses.asked += request.accessKeyIds.length;
    try {
      return await this.#options.parent.issue(request, requestId);
    } catch (error) {
      this.#misses.failed += request.accessKeyIds.length;
      throw error;
    }
  }

  #requireInWindow(date: ScopeDate): void {
    if (!this.days.covers(date)) throw new KeydError('date-outside-window', { detail: date });
  }
}

/** What is not known is unavailable. */
function answerOf<Key>(accessKeyIds: readonly string[], known: ReadonlyMap<string, Finding<Key>>): KeyAnswer<Key> {
  const issued = new Map<string, IssuedKey<Key>>();
  const absent = new Map<string, Absence>();
  for (const accessKeyId of accessKeyIds) {
    const finding = known.get(accessKeyId) ?? 'unavailable';
    if (typeof finding === 'string') absent.set(accessKeyId, finding);
    else issued.set(accessKeyId, finding);
  }
  return { issued, absent };
}
