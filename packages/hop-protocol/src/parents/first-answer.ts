import type { Cancel, Clock } from '../clock.js';

export interface FirstAnswerOptions<Candidate, Answer> {
  /** At least one, in the order of asking. */
  readonly candidates: readonly Candidate[];
  /** Asks one; ends early when the signal is aborted. */
  readonly ask: (candidate: Candidate, signal: AbortSignal) => Promise<Answer>;
  /** Whether this failure would be every other's too. */
  readonly isFinal: (failure: unknown) => boolean;
  readonly timer: Clock;
  /** A candidate that is silent for so long no longer keeps the next from being asked. Absent: it does, to its end. */
  readonly hedge?: { readonly afterMs: number; readonly isAllowed: () => boolean };
  /** Told of a candidate that was asked before another one answered. */
  readonly onOvertaken: (candidate: Candidate) => void;
}

/**
 * Asks one candidate after another until one answers: the next at once when one fails, or beside one that is silent for
 * too long. The first answer ends all others. Rejects with the last failure.
 */
export function firstAnswer<Candidate, Answer>(options: FirstAnswerOptions<Candidate, Answer>): Promise<Answer> {
  return new Promise((resolve, reject) => new Race(options, resolve, reject).next());
}

class Race<Candidate, Answer> {
  readonly #options: FirstAnswerOptions<Candidate, Answer>;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (failure: unknown) => void;
  /** In the order of asking. */
  readonly #asked = new Map<Candidate, AbortController>();
  #count = 0;
  #failure: unknown;
  #cancelHedge: Cancel = () => undefined;
  #isOver = false;

  constructor(
    options: FirstAnswerOptions<Candidate, Answer>,
    resolve: (answer: Answer) => void,
    reject: (failure: unknown) => void,
  ) {
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  next(): void {
    const { candidates, ask } = this.#options;
    this.#cancelHedge();
    const candidate = candidates[this.#count];
    if (candidate === undefined) {
      if (this.#asked.size === 0) this.#end(() => this.#reject(this.#failure));
      return;
    }
    this.#count += 1;
    const stop = new AbortController();
    this.#asked.set(candidate, stop);
    this.#hedge();
    ask(candidate, stop.signal).then(
      (answer) => this.#answered(candidate, answer),
      (failure: unknown) => this.#failed(candidate, failure),
    );
  }

  #hedge(): void {
    const { hedge, timer, candidates } = this.#options;
    if (!hedge || this.#count === candidates.length) return;
    this.#cancelHedge = timer.after(hedge.afterMs, () => {
      if (hedge.isAllowed()) this.next();
    });
  }

  #answered(candidate: Candidate, answer: Answer): void {
    if (this.#isOver) return;
    for (const earlier of this.#asked.keys()) {
      if (earlier === candidate) break;
      this.#options.onOvertaken(earlier);
    }
    this.#asked.delete(candidate);
    this.#end(() => this.#resolve(answer));
  }

  #failed(candidate: Candidate, failure: unknown): void {
    if (this.#isOver) return;
    this.#asked.delete(candidate);
    this.#failure = failure;
    if (this.#options.isFinal(failure)) this.#end(() => this.#reject(failure));
    else this.next();
  }

  #end(tell: () => void): void {
    this.#isOver = true;
    this.#cancelHedge();
    for (const stop of this.#asked.values()) stop.abort();
    tell();
  }
}
