import type { Cancel, Clock } from '@sigv4-keyd/hop-protocol';

/** The clock of a machine that is off by some milliseconds; it runs as the other does. */
export class SkewedClock implements Clock {
  readonly #true: Clock;
  readonly #offMs: number;

  constructor(trueClock: Clock, offMs: number) {
    this.#true = trueClock;
    this.#offMs = offMs;
  }

  now(): number {
    return this.#true.now() + this.#offMs;
  }

  after(ms: number, task: () => void): Cancel {
    return this.#true.after(ms, task);
  }
}
