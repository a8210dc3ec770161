import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import { KeydError } from '../errors.js';
import type { DaySource } from './day-source.js';
import type { StreamedSet } from './day-stream-api.js';
import { WrongStream } from './frame.js';
import type { StreamedKey } from './key-page.js';

export interface DayPullOptions {
  readonly source: DaySource;
  readonly date: ScopeDate;
  readonly which: StreamedSet;
  /** What can be held. */
  readonly mostKeys: () => number;
  /** Takes a whole page. The keys are overwritten once this has settled. */
  readonly take: (keys: readonly StreamedKey[]) => void | Promise<void>;
}

/** One day's keys on their way down. Whatever breaks the stream, the next attempt goes on after the last whole page. */
export class DayPull {
  readonly #options: DayPullOptions;
  #after: string | undefined;
  #keys = 0;
  #isComplete = false;
  #running: Promise<void> | undefined;

  constructor(options: DayPullOptions) {
    this.#options = options;
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Keys that came so far. */
  get keys(): number {
    return this.#keys;
  }

  /** Goes on until the day is complete, or rejects with a KeydError. Whoever calls meanwhile waits for the same. */
  advance(): Promise<void> {
    if (this.#isComplete) return Promise.resolve();
    this.#running ??= this.#advance().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #advance(): Promise<void> {
    const { source, date, which, mostKeys, take } = this.#options;
    const after = this.#after;
    try {
      for await (const keys of source.pages({ date, which, ...(after !== undefined && { after }) }, mostKeys())) {
        await take(keys);
        this.#after = keys.at(-1)?.facts.accessKeyId;
        this.#keys += keys.length;
      }
      this.#isComplete = true;
    } catch (error) {
      if (error instanceof WrongStream) this.#beginAnew();
      if (error instanceof KeydError) throw error;
      throw new KeydError('parent-unavailable', { cause: error });
    }
  }

  /** Who streamed what was wrong may have left out something before it, too. */
  #beginAnew(): void {
    this.#after = undefined;
    this.#keys = 0;
  }
}
