/** Time as an argument: the system's clock in production, a virtual one in tests. Unix epoch milliseconds. */
export interface Clock {
  now(): number;
  /** Runs `task` once after `ms` milliseconds unless the returned function was called before. */
  after(ms: number, task: () => void): Cancel;
}

export type Cancel = () => void;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, task) {
    const timer = setTimeout(task, ms);
    // A pending beat never keeps a process alive that has otherwise finished.
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Runs `task`, which must not throw or reject, every `ms` milliseconds: the next wait begins when it has settled. */
export function every(clock: Clock, ms: number, task: () => unknown): Cancel {
  let stopped = false;
  let cancel: Cancel = () => undefined;
  const wait = (): void => {
    if (!stopped) cancel = clock.after(ms, () => void Promise.resolve(task()).finally(wait));
  };
  wait();
  return () => {
    stopped = true;
    cancel();
  };
}
