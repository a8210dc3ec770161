import type { Cancel, Clock } from '@sigv4-keyd/hop-protocol';
import type { Turns } from './refusal-turns.js';

export interface RefusalPaceOptions {
  readonly turns: Turns;
  readonly clock: Clock;
}

/** A client that waits for its answers sends no more than this often on each connection, milliseconds. */
const DELAY_MS = 1_000;
/** Beyond this many, answers wait no longer: each that waits costs a connection and some kilobytes. */
const MOST_WAITING = 1_000;

/**
 * Lets a flood of requests that are refused wait for its answers, so that it does not take the time of those that are
 * served. Clients of their own do not meet it: a few refusals are answered at once.
 */
export class RefusalPace {
  readonly #turns: Turns;
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #isReleased = false;

  constructor({ turns, clock }: RefusalPaceOptions) {
    this.#turns = turns;
    this.#clock = clock;
  }

  /** Resolves when a refusal may be answered. */
  async turn(): Promise<void> {
    const isAtOnce = await this.#turns.take();
    if (isAtOnce || this.#isReleased || this.#waiting.size >= MOST_WAITING) return;
    await new Promise<void>((resolve) => {
      let cancel: Cancel = () => undefined;
      const go = (): void => {
        cancel();
        this.#waiting.delete(go);
        resolve();
      };
      this.#waiting.add(go);
      cancel = this.#clock.after(DELAY_MS, go);
    });
  }

  /** Nobody waits any longer, now and from now on: the edge closes. */
  release(): void {
    this.#isReleased = true;
    for (const go of this.#waiting) go();
  }
}
