interface Waiting<Result> {
  readonly payload: string;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** The most that is made durable at once: a bound on memory and on what one failure rejects. */
const MOST_PAYLOADS = 1024;
const MOST_CHARACTERS = 8_388_608;

/**
 * Gathers what arrives while the disk is busy, so that many concurrent appends share one sync. `commit` is never run
 * twice at a time; it answers with one result a payload, or rejects all of them.
 */
export class GroupCommit<Result> {
  readonly #commit: (payloads: readonly string[]) => Promise<readonly Result[]>;
  #queue: Waiting<Result>[] = [];
  #running: Promise<void> | undefined;

  constructor(commit: (payloads: readonly string[]) => Promise<readonly Result[]>) {
    this.#commit = commit;
  }

  add(payload: string): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ payload, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // Whatever is added in the same turn goes into the first batch.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#takeBatch();
      try {
        const results = await this.#commit(batch.map(({ payload }) => payload));
        for (const [index, { resolve, reject }] of batch.entries()) {
          const result = results[index];
          if (result === undefined) reject(new RangeError('fewer results than payloads'));
          else resolve(result);
        }
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#running = undefined;
  }

  #takeBatch(): readonly Waiting<Result>[] {
    let count = 0;
    let characters = 0;
    for (const { payload } of this.#queue) {
      if (count > 0 && (count === MOST_PAYLOADS || characters + payload.length > MOST_CHARACTERS)) break;
      count += 1;
      characters += payload.length;
    }
    const batch = this.#queue.slice(0, count);
    this.#queue = this.#queue.slice(count);
    return batch;
  }
}
