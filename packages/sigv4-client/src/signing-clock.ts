/** The time of signatures: the clock that was given, corrected by what a server said of it. */
export class SigningClock {
  readonly #now: () => number;
  #offsetMs = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Epoch milliseconds. */
  now(): number {
    return this.#now() + this.#offsetMs;
  }

  /**
   * Sets the time by a server's answer that may have refused ours; true when it was off, so that signing again can
   * help. `header` reads a header of the answer by its lower-case name.
   */
  learnFrom(status: number, header: (name: string) => string | null | undefined): boolean {
    if (!REFUSALS.has(status)) return false;
    const serverTime = Date.parse(header('date') ?? '');
    const difference = serverTime - this.now();
    const isTold = TIME_REASONS.has(header('x-keyd-reason') ?? '');
    // Where no reason is told, a refusal for another one looks the same: then only a clock that is surely off is set.
    if (!(Math.abs(difference) >= (isTold ? TOLD_MS : UNTOLD_MS))) return false;
    this.#offsetMs += difference;
    return true;
  }
}

const REFUSALS: ReadonlySet<number> = new Set([400, 401, 403]);
const TIME_REASONS: ReadonlySet<string> = new Set([
  'request-too-old',
  'request-in-future',
  'date-outside-window',
  'presigned-not-yet-valid',
]);
/** Date headers have whole seconds. */
const TOLD_MS = 2_000;
/** Under every server's tolerance, above what a slow answer explains. */
const UNTOLD_MS = 5 * 60_000;
