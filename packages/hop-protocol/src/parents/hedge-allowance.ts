/** Calls that earn one hedge. */
const CALLS_A_HEDGE = 10;
/** Hedges that may be made at once, after a time without any. */
const MOST_HEDGES = 10;

/**
 * One hedge in ten calls, in the long run: a parent that is slow because it is overloaded must not get twice the load,
 * nor its neighbours all of it.
 */
export class HedgeAllowance {
  #calls = MOST_HEDGES * CALLS_A_HEDGE;

  earn(): void {
    this.#calls = Math.min(MOST_HEDGES * CALLS_A_HEDGE, this.#calls + 1);
  }

  /** Whether a hedge may be made now; if so, it counts as made. */
  spend(): boolean {
    if (this.#calls < CALLS_A_HEDGE) return false;
    this.#calls -= CALLS_A_HEDGE;
    return true;
  }
}
