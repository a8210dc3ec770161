import type { Cancel, Clock } from '../clock.js';
import type { FeedLog } from './feed-log.js';
import type { FeedStorage } from './feed-storage.js';

export interface KeptStateOptions {
  readonly storage: FeedStorage;
  readonly clock: Clock;
  readonly log: FeedLog;
  /** The state of this moment. */
  readonly serialise: () => string;
}

/** A newer beacon alone is saved after this long: less writing, for a restart that finds it older by as much. */
const BEACONS_EVERY_MS = 10_000;

/** Saves the state as it changes: one writer, each time the newest. What cannot be saved is told, and believed. */
export class KeptState {
  readonly #options: KeptStateOptions;
  #isDirty = false;
  #writing: Promise<void> | undefined;
  #cancelLater: Cancel | undefined;
  #isFailing = false;

  constructor(options: KeptStateOptions) {
    this.#options = options;
  }

  get isFailing(): boolean {
    return this.#isFailing;
  }

  /** `statements`: to be saved at once. */
  changed(what: 'statements' | 'beacon'): void {
    this.#isDirty = true;
    if (what === 'statements') void this.#save();
    else this.#saveLater();
  }

  /** Saves what is not saved yet. */
  async close(): Promise<void> {
    await this.#save();
    this.#cancelLater?.();
  }

  #saveLater(): void {
    this.#cancelLater ??= this.#options.clock.after(BEACONS_EVERY_MS, () => {
      this.#cancelLater = undefined;
      void this.#save();
    });
  }

  #save(): Promise<void> {
    this.#writing ??= this.#saveAll().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #saveAll(): Promise<void> {
    const { storage, serialise, log } = this.#options;
    while (this.#isDirty) {
      this.#isDirty = false;
      try {
        await storage.save(serialise());
        if (this.#isFailing) log.info({ event: 'feed-state-saved' }, 'the feed state can be saved again');
        this.#isFailing = false;
      } catch (error) {
        if (!this.#isFailing) {
          const line = { event: 'feed-state-unsaved', err: error };
          log.error(line, 'the feed state cannot be saved: a restart would forget what is new');
        }
        this.#isFailing = true;
        this.#isDirty = true;
        this.#saveLater();
        return;
      }
    }
  }
}
