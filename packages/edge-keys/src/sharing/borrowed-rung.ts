import {
  isAbsence,
  KeydError,
  type AccessKeyFacts,
  type DenialOf,
  type Finding,
  type HeldDays,
} from '@sigv4-keyd/hop-protocol';
import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { LentKey } from './shared-rung.js';

/** Asks the process that holds the edge's keys. Rejects with KeydError. The bytes are the caller's, who wipes them. */
export type Lend = (date: ScopeDate, accessKeyId: string, requestId: string | undefined) => Promise<LentKey>;

export interface BorrowedRungOptions<Key> {
  readonly days: HeldDays<Key>;
  readonly lend: Lend;
  readonly importKey: (bytes: Uint8Array) => Key;
  readonly denialOf: DenialOf;
}

/**
 * The keys of one algorithm that this process has in use, borrowed from the one that holds the edge's keys. Who is
 * absent is remembered there alone, for the whole edge.
 */
export class BorrowedRung<Key> {
  readonly #options: BorrowedRungOptions<Key>;
  readonly #asking = new Map<string, Promise<Finding<Key>>>();

  constructor(options: BorrowedRungOptions<Key>) {
    this.#options = options;
  }

  /** Keys that are held, of all days. */
  get size(): number {
    return this.#options.days.status().reduce((sum, { keys }) => sum + keys, 0);
  }

  held(date: ScopeDate, accessKeyId: string): Finding<Key> | undefined {
    return this.#options.days.find(date, accessKeyId);
  }

  async find(date: ScopeDate, accessKeyId: string, requestId?: string): Promise<Finding<Key>> {
    const { days } = this.#options;
    if (!days.covers(date)) throw new KeydError('date-outside-window', { detail: date });
    const held = days.find(date, accessKeyId);
    if (held) return held;
    const name = `${date}/${accessKeyId}`;
    const underWay = this.#asking.get(name);
    if (underWay) return underWay;
    const asking = this.#borrow(date, accessKeyId, requestId).finally(() => this.#asking.delete(name));
    this.#asking.set(name, asking);
    return asking;
  }

  /** Lets go of a key that is another one now. */
  forget(date: ScopeDate, accessKeyId: string): void {
    this.#options.days.delete(date, accessKeyId);
  }

  /** Wipes every key that is denied by now; resolves when none is left. */
  async judgeAgain(): Promise<void> {
    const { days, denialOf } = this.#options;
    await days.purge((date, facts: AccessKeyFacts) => denialOf(date, facts) !== undefined);
  }

  /** Wipes the keys of days outside the window. */
  expire(): void {
    this.#options.days.expire();
  }

  async #borrow(date: ScopeDate, accessKeyId: string, requestId: string | undefined): Promise<Finding<Key>> {
    const { days, lend, importKey } = this.#options;
    const lent = await lend(date, accessKeyId, requestId);
    if (typeof lent === 'string') return lent;
    try {
      const holding = days.hold(date, lent.facts, lent.key);
      if (isAbsence(holding)) return holding;
      return days.find(date, accessKeyId) ?? { facts: lent.facts, key: importKey(lent.key) };
    } finally {
      lent.key.fill(0);
    }
  }
}
