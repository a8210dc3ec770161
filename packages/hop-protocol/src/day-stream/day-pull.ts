import { setImmediate as otherWork } from 'node:timers/promises';
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
  /** What can be held: the pull ends there, however long the parent would go on. */
  readonly mostKeys: number;
  /** Takes keys, some of a page at a time. They are overwritten some time after this has returned. */
  readonly take: (keys: readonly StreamedKey[]) => void;
  /** Told of every page whose keys were taken. */
  readonly onPage?: ((keys: readonly StreamedKey[]) => void) | undefined;
  /** Told when it is from the beginning again. */
  readonly onBegin?: () => void;
}

/** Keys that are taken before other work has its turn: a millisecond or two. */
const SLICE = 500;

/** One day's keys on their way down. Whatever breaks the stream, the next attempt goes on after the last whole page. */
export class DayPull {
  readonly #options: DayPullOptions;
  #after: string | undefined;
  #keys = 0;
  #end: 'none' | 'complete' | 'full' = 'none';
  #running: Promise<void> | undefined;

  constructor(options: DayPullOptions) {
    this.#options = options;
  }

  /** Whether there is nothing left to pull. */
  get isOver(): boolean {
    return this.#end !== 'none';
  }

  /** Whether it is over because no more can be held. */
  get isFull(): boolean {
    return this.#end === 'full';
  }

  /** Keys that came so far. */
  get keys(): number {
    return this.#keys;
  }

  /** Goes on until the pull is over, or rejects with a KeydError. Whoever calls meanwhile waits for the same. */
  advance(): Promise<void> {
    if (this.isOver) return Promise.resolve();
    this.#running ??= this.#advance().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #advance(): Promise<void> {
    const { source, date, which, onBegin } = this.#options;
    const after = this.#after;
    if (after === undefined) onBegin?.();
    try {
      for await (const keys of source.pages({ date, which, ...(after !== undefined && { after }) })) {
        if (await this.#take(keys)) continue;
        this.#end = 'full';
        return;
      }
      this.#end = 'complete';
    } catch (error) {
      if (error instanceof WrongStream) this.#beginAnew();
      if (error instanceof KeydError) throw error;
      throw new KeydError('parent-unavailable', { cause: error });
    }
  }

  /** Whether there was room for the whole page. */
  async #take(page: readonly StreamedKey[]): Promise<boolean> {
    const { take, onPage, mostKeys } = this.#options;
    const keys = page.slice(0, mostKeys - this.#keys);
    for (let from = 0; from < keys.length; from += SLICE) {
      await otherWork();
      take(keys.slice(from, from + SLICE));
    }
    onPage?.(keys);
    this.#after = keys.at(-1)?.facts.accessKeyId;
    this.#keys += keys.length;
    return keys.length === page.length;
  }

  /** Who streamed what was wrong may have left out something before it, too. */
  #beginAnew(): void {
    this.#after = undefined;
    this.#keys = 0;
  }
}
