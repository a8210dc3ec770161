import type { Clock } from './clock.js';

export interface MissBudgetLimits {
  /** Absent access keys that may be asked for at once. */
  readonly burst: number;
  /** Absent access keys that may be asked for a second, in the long run. */
  readonly perSecond: number;
}

/**
 * A token bucket that only absent access keys empty. Finding a real key costs nothing, so honest traffic never meets
 * it; a flood of made-up ids does after `burst`, and the tier above sees no more than `perSecond` of it.
 */
export class MissBudget {
  readonly #limits: MissBudgetLimits;
  readonly #clock: Clock;
  #tokens: number;
  #at: number;

  constructor(limits: MissBudgetLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#tokens = limits.burst;
    this.#at = clock.now();
  }

  allows(): boolean {
    const now = this.#clock.now();
    const gained = (Math.max(0, now - this.#at) / 1000) * this.#limits.perSecond;
    this.#tokens = Math.min(this.#limits.burst, this.#tokens + gained);
    this.#at = now;
    return this.#tokens >= 1;
  }

  /** Counts one access key that turned out absent. Debts, of many that were in flight together, are paid off later. */
  spend({ mayOwe }: { readonly mayOwe: boolean }): void {
    this.#tokens = mayOwe ? this.#tokens - 1 : Math.min(this.#tokens, Math.max(0, this.#tokens - 1));
  }
}
