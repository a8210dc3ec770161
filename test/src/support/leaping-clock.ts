import type { Cancel, Clock } from '@sigv4-keyd/hop-protocol';

interface Alarm {
  readonly at: number;
  readonly task: () => void;
}

/**
 * A clock that leaps, like that of a machine that slept: every alarm that came due meanwhile rings once, late. Days can
 * pass so without each beat of each of them.
 */
export class LeapingClock implements Clock {
  #now: number;
  readonly #alarms = new Set<Alarm>();

  constructor(start: number) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, task: () => void): Cancel {
    const alarm = { at: this.#now + ms, task };
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  }

  /** Leaps to `to`, epoch milliseconds. */
  async leapTo(to: number): Promise<void> {
    this.#now = to;
    const due = [...this.#alarms].filter(({ at }) => at <= to).sort((a, b) => a.at - b.at);
    for (const alarm of due) {
      // One that rang before it may have cancelled it.
      if (this.#alarms.delete(alarm)) alarm.task();
      await new Promise(setImmediate);
    }
  }
}
