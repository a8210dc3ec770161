import type { Turns } from '../refusal-turns.js';

/** How many of so many refusals may be answered at once, by the rule of the whole edge. */
export type AskForTurns = (refusals: number) => Promise<number>;

/** The turns of a worker: those of the whole edge. Refusals that come while it asks are asked for together. */
export class SharedTurns implements Turns {
  readonly #ask: AskForTurns;
  #waiting: ((isAtOnce: boolean) => void)[] = [];
  #isAsking = false;

  constructor(ask: AskForTurns) {
    this.#ask = ask;
  }

  take(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (!this.#isAsking) void this.#askForAll();
    });
  }

  async #askForAll(): Promise<void> {
    this.#isAsking = true;
    while (this.#waiting.length > 0) {
      const together = this.#waiting;
      this.#waiting = [];
      // Without an edge this process ends: nobody waits for a turn then.
      const atOnce = await this.#ask(together.length).catch(() => together.length);
      for (const [i, resolve] of together.entries()) resolve(i < atOnce);
    }
    this.#isAsking = false;
  }
}
