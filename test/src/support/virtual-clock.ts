import type { Cancel, Clock } from '@sigv4-keyd/hop-protocol';

interface Alarm {
  readonly at: number;
  readonly task: () => void;
}

/** A clock that stands still until a test moves it. Alarms ring in order of their time, each at its own time. */
export class VirtualClock implements Clock {
  #now: number;
  readonly #alarms = new Set<Alarm>();

  constructor(start: string | number) {
    this.#now = typeof start === 'number' ? start : Date.parse(start);
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, task: () => void): Cancel {
    const alarm = { at: this.#now + ms, task };
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  }

  /** How many alarms are to ring yet: none, once all who set one are closed. */
  get pending(): number {
    return this.#alarms.size;
  }

  /** Whether an alarm is to ring within so many milliseconds. */
  isDueWithin(ms: number): boolean {
    return this.#next(this.#now + ms) !== undefined;
  }

  /** Moves to `to` (epoch milliseconds or ISO 8601), ringing every alarm on the way. */
  async moveTo(to: string | number): Promise<void> {
    const end = typeof to === 'number' ? to : Date.parse(to);
    for (let alarm = this.#next(end); alarm; alarm = this.#next(end)) {
      this.#alarms.delete(alarm);
      this.#now = alarm.at;
      alarm.task();
      await new Promise(setImmediate);
    }
    this.#now = end;
  }

  /** Leaps, like the clock of a machine that slept: whatever came due meanwhile rings once, late. */
  async leapTo(to: string): Promise<void> {
    this.#now = Date.parse(to);
    const due = [...this.#alarms].filter(({ at }) => at <= this.#now).sort((one, other) => one.at - other.at);
    for (const alarm of due) {
      if (this.#alarms.delete(alarm)) alarm.task();
      await new Promise(setImmediate);
    }
  }

  advance(ms: number): Promise<void> {
    return this.moveTo(this.#now + ms);
  }

  #next(end: number): Alarm | undefined {
    let first: Alarm | undefined;
    for (const alarm of this.#alarms) if (alarm.at <= end && (!first || alarm.at < first.at)) first = alarm;
    return first;
  }
}
