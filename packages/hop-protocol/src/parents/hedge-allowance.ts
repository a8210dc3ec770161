/** Hedges that may be made at once, after a time without any. */
const MOST = 10;
/** What each call earns. */
const EARNED_A_CALL = 0.1;

/**
 * One hedge in ten calls, in the long run: a parent that is slow because it is overloaded must not get twice the load,
 * nor its neighbours all of it.
 */
export class HedgeAllowance {
  #hedges = MOST;

  earn(): void {
    this.#hedges = Math.min(MOST, this.#hedges + EARNED_A_CALL);
  }

  /** Whether a hedge may be made now; if so, it counts as made. */
  spend(): boolean {
    if (this.#hedges < 1) return false;
    this.#hedges -= 1;
    return true;
  }
}
