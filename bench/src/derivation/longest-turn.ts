import { readFileSync } from 'node:fs';

/** Of the main thread (proc(5)): nanoseconds on a processor, and two figures more. */
const SCHEDULED = `/proc/self/task/${process.pid}/schedstat`;

/**
 * Watches how long the event loop is busy with one thing: CPU time of its own thread, so that what else runs on the
 * machine does not count. For a process that is never idle: it asks in every turn.
 */
export class LongestTurn {
  #longestNanoseconds = 0;
  #isOver = false;

  start(): void {
    const before = cpuNanoseconds();
    setImmediate(() => {
      this.#longestNanoseconds = Math.max(this.#longestNanoseconds, cpuNanoseconds() - before);
      if (!this.#isOver) this.start();
    });
  }

  /** Milliseconds. */
  stop(): number {
    this.#isOver = true;
    return this.#longestNanoseconds / 1e6;
  }
}

function cpuNanoseconds(): number {
  try {
    return Number(readFileSync(SCHEDULED, 'utf8').split(' ', 1)[0]);
  } catch {
    // Elsewhere than on Linux: all threads.
    const { user, system } = process.cpuUsage();
    return (user + system) * 1000;
  }
}
