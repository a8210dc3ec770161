import type { Cancel, Clock } from '../clock.js';
import type { FeedLog } from './feed-log.js';
import type { FeedStorage } from './feed-storage.js';

/** How far the feed had come in a state. */
export interface FeedMark {
  readonly version: number;
  readonly setHash: string;
}

/** The state as text, and how far the feed has come in it; undefined: no beacon was accepted yet. */
export interface SerialisedState {
  readonly text: string;
  readonly mark: FeedMark | undefined;
}

export interface KeptStateOptions {
  readonly storage: FeedStorage;
  readonly clock: Clock;
  readonly log: FeedLog;
  /** The state of this moment. */
  readonly serialise: () => SerialisedState;
  /** How far the feed had come in the state that was restored. */
  readonly restored: FeedMark | undefined;
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
  #saved: FeedMark | undefined;

  constructor(options: KeptStateOptions) {
    this.#options = options;
    this.#saved = options.restored;
  }

  /** How far the feed had come in what a restart would find. */
  get saved(): FeedMark | undefined {
    return this.#saved;
  }

  get isFailing(): boolean {
    return this.#isFailing;
  }

  /** `facts`: statements or changes of access keys, to be saved at once. */
  changed(what: 'facts' | 'beacon'): void {
    this.#isDirty = true;
    // Whoever has to know that the feed survives a restart need not wait for the first of it.
    if (what === 'facts' || this.#saved === undefined) void this.#save();
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
        const { text, mark } = serialise();
        await storage.save(text);
        this.#saved = mark;
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
