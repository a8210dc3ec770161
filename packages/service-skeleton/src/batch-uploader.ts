import { errorCodeOf, every, type Clock, type ErrorCode } from '@sigv4-keyd/hop-protocol';
import type { BatchBuffer } from './batch-buffer.js';
import type { Logger } from './logging.js';

export interface BatchUploaderOptions<Entry> {
  readonly buffer: BatchBuffer<Entry>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Resolves once the tier above has made the entries durable. Rejects with a KeydError, soon after the signal. */
  readonly send: (entries: readonly Entry[], signal: AbortSignal) => Promise<unknown>;
  /** What tells of an entry that the tier above refuses for good; undefined: nothing is left to tell. */
  readonly toldAs: (refused: Entry) => Entry | undefined;
}

/** What waits here is tried again this often, milliseconds; what arrives is sent at once. */
const RETRY_EVERY_MS = 2_000;

/** The tier above will never take such an entry; all other failures are of the moment, or of an operator to mend. */
const FINAL: ReadonlySet<ErrorCode> = new Set(['malformed-request', 'too-large']);

/** Hands on what a buffer holds, oldest first, until the tier above has it: at least once, never twice at a time. */
export class BatchUploader<Entry> {
  readonly #options: BatchUploaderOptions<Entry>;
  readonly #stopping = new AbortController();
  #sending: Promise<void> | undefined;
  #isFailing = false;

  constructor(options: BatchUploaderOptions<Entry>) {
    this.#options = options;
  }

  /** Returns the end of it, which waits until the buffer is left alone. */
  start(): () => Promise<void> {
    void this.send();
    const stop = every(this.#options.clock, RETRY_EVERY_MS, () => this.send());
    return async () => {
      stop();
      this.#stopping.abort();
      await this.#sending;
    };
  }

  /** Whether the last batch was not taken. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  /** Sends all that waits. Never rejects: an outage is told once and tried again later. */
  send(): Promise<void> {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
    return this.#sending;
  }

  async #sendAll(): Promise<void> {
    const { buffer, log } = this.#options;
    const { signal } = this.#stopping;
    try {
      for (let group = await buffer.oldest(); group && !signal.aborted; group = await buffer.oldest()) {
        const told = await this.#sendGroup(group.entries);
        await Promise.all(told.map((entry) => buffer.putInPlace(entry)));
        await group.remove();
        if (this.#isFailing) log.info('the tier above takes roll-ups again');
        this.#isFailing = false;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!this.#isFailing) log.warn({ err: error }, 'roll-ups cannot be handed on; they wait on disk');
      this.#isFailing = true;
    }
  }

  /** Resolves to what tells of the entries that the tier above will never take. */
  async #sendGroup(entries: readonly Entry[]): Promise<readonly Entry[]> {
    try {
      await this.#options.send(entries, this.#stopping.signal);
      return [];
    } catch (error) {
      if (this.#stopping.signal.aborted || !isFinal(error)) throw error;
      if (entries.length === 1) return this.#givenUp(entries, error);
      // One bad entry must not keep the others, or those behind them, from going up.
      const told: Entry[] = [];
      for (const entry of entries) told.push(...(await this.#sendGroup([entry])));
      return told;
    }
  }

  #givenUp(entries: readonly Entry[], error: unknown): readonly Entry[] {
    const { toldAs, log } = this.#options;
    log.error({ event: 'batch-refused', err: error }, 'the tier above refused a batch for good; it is dropped');
    return entries.flatMap((entry) => toldAs(entry) ?? []);
  }
}

function isFinal(error: unknown): boolean {
  const code = errorCodeOf(error);
  return code !== undefined && FINAL.has(code);
}
