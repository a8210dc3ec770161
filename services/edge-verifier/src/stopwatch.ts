import { performance } from 'node:perf_hooks';

/** Measures how long one verdict takes; begun with the head of the request. What it tells decides nothing. */
export class Stopwatch {
  readonly #startedAt = performance.now();
  #isStopped = false;

  /** Seconds until the first call; undefined at any other. */
  stop(): number | undefined {
    if (this.#isStopped) return undefined;
    this.#isStopped = true;
    return (performance.now() - this.#startedAt) / 1000;
  }
}
