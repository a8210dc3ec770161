import type { Cancel, Clock } from '@sigv4-keyd/hop-protocol';

/** A clock of whole milliseconds that only `moveTo` moves: for so many alarms that they cannot be searched through. */
export class SimulatedClock implements Clock {
  #now: number;
  readonly #due = new Map<number, Set<() => void>>();

  constructor(start: number) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, task: () => void): Cancel {
    const at = this.#now + Math.max(1, Math.ceil(ms));
    const alarms = this.#due.get(at) ?? new Set();
    this.#due.set(at, alarms);
    const alarm = (): void => task();
    alarms.add(alarm);
    return () => alarms.delete(alarm);
  }

  /** Rings what is due on the way, everything of a millisecond together. */
  async moveTo(end: number): Promise<void> {
    while (this.#now < end) {
      this.#now += 1;
      const alarms = this.#due.get(this.#now);
      if (!alarms) continue;
      this.#due.delete(this.#now);
      for (const alarm of alarms) alarm();
      await new Promise(setImmediate);
    }
  }
}
