/** Rings the ends of waits: the system's in production, a standing one in tests on a busy machine. */
export interface Timer {
  /** Runs `task` once after `ms` milliseconds unless the returned function was called before. */
  after(ms: number, task: () => void): () => void;
}

export const systemTimer: Timer = {
  after(ms, task) {
    const timeout = setTimeout(task, ms);
    return () => clearTimeout(timeout);
  },
};
