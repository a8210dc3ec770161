/** What happened in each second, counted. */
export class SecondCounts {
  readonly #start: number;
  readonly #seconds: number[];

  /** `start`: epoch milliseconds. */
  constructor(start: number, seconds: number) {
    this.#start = start;
    this.#seconds = new Array<number>(seconds).fill(0);
  }

  add(now: number, count = 1): void {
    const second = Math.floor((now - this.#start) / 1000);
    this.#seconds[second] = (this.#seconds[second] ?? 0) + count;
  }

  /** By seconds since the start. */
  get all(): readonly number[] {
    return this.#seconds;
  }

  /** From one second up to, not including, another. */
  total(from = 0, to = this.#seconds.length): number {
    return this.#seconds.slice(from, to).reduce((sum, count) => sum + count, 0);
  }

  peak(from = 0, to = this.#seconds.length): number {
    return Math.max(0, ...this.#seconds.slice(from, to));
  }
}
