/** What a long-lived whole has opened so far: closed in reverse order, all of it, whatever fails on the way. */
export class OpenedParts {
  readonly #closes: (() => unknown)[] = [];

  /** `close` may answer a promise, which is waited for before the next part is closed. */
  add(close: () => unknown): void {
    this.#closes.push(close);
  }

  /** Rejects with the first failure, once everything was closed. A second call closes nothing. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let close = this.#closes.pop(); close; close = this.#closes.pop()) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

/** Opens a whole. What was opened of it so far is closed again when that fails. */
export async function openWhole<Whole>(open: (parts: OpenedParts) => Promise<Whole>): Promise<Whole> {
  const parts = new OpenedParts();
  try {
    return await open(parts);
  } catch (error) {
    await parts.close();
    throw error;
  }
}
