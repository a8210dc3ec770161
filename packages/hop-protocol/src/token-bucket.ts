import type { Clock } from './clock.js';

export interface TokenRate {
  /** Tokens that may be spent at once. */
  readonly burst: number;
  /** Tokens that may be spent a second, in the long run. */
  readonly perSecond: number;
}

/** Allows so many at once, and so many a second from then on. Full at first. */
export class TokenBucket {
  readonly #rate: TokenRate;
  readonly #clock: Clock;
  #tokens: number;
  #at: number;

  constructor(rate: TokenRate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
    this.#tokens = rate.burst;
    this.#at = clock.now();
  }

  allows(): boolean {
    const now = this.#clock.now();
    const gained = (Math.max(0, now - this.#at) / 1000) * this.#rate.perSecond;
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + gained);
    this.#at = now;
    return this.#tokens >= 1;
  }

  /** Takes one, were it not there; debts are paid off later where they may be made at all. */
  spend({ mayOwe }: { readonly mayOwe: boolean }): void {
    this.#tokens = mayOwe ? this.#tokens - 1 : Math.min(this.#tokens, Math.max(0, this.#tokens - 1));
  }
}
