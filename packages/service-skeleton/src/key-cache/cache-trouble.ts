import type { Logger } from '../logging.js';

/** Tells of a disk that fails: once when it begins, once when it ends, and in between whoever asks. */
export class CacheTrouble {
  readonly #log: Logger;
  #failure: string | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** What the disk said last; undefined while it works. */
  get failure(): string | undefined {
    return this.#failure;
  }

  warnings(): readonly string[] {
    if (this.#failure === undefined) return [];
    return [`held keys cannot be kept on disk, a restart would have to fetch them: ${this.#failure}`];
  }

  failed(error: unknown): void {
    if (this.#failure === undefined) {
      const line = { event: 'key-cache-unsaved', err: error };
      this.#log.error(line, 'held keys cannot be kept on disk: a restart would have to fetch them');
    }
    this.#failure = error instanceof Error ? error.message : String(error);
  }

  worked(): void {
    if (this.#failure === undefined) return;
    this.#failure = undefined;
    this.#log.info({ event: 'key-cache-saved' }, 'held keys can be kept on disk again');
  }
}
