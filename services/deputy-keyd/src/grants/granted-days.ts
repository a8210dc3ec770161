import {
  dayIntoHeld,
  every,
  type CachedKeySource,
  type Clock,
  type DayPull,
  type DaySource,
  type DenialOf,
  type StreamedSet,
} from '@sigv4-keyd/hop-protocol';
import type { Logger } from '@sigv4-keyd/service-skeleton';
import type { KDate, ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { OwnGrants } from './own-grants.js';

export interface GrantedDaysOptions {
  readonly grants: OwnGrants;
  readonly dateKeys: CachedKeySource<KDate>;
  readonly source: DaySource;
  readonly sets: readonly StreamedSet[];
  readonly denialOf: DenialOf;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Brought {
  pull?: DayPull;
  /** Epoch milliseconds when it was last brought whole. */
  wholeAt?: number;
  isFull: boolean;
}

const BEAT_MS = 60_000;
/** Access keys that are made later are brought then; the record of a set of all may be long. */
const AGAIN_AFTER_MS: Readonly<Record<StreamedSet, number>> = { pinned: 40 * 60_000, all: 6 * 3_600_000 };

/** Has kDate of every granted day held, before there is nobody to ask, and drops what is no longer granted. */
export class GrantedDays {
  readonly #options: GrantedDaysOptions;
  readonly #brought = new Map<`${ScopeDate}/${StreamedSet}`, Brought>();
  readonly #stopping = new AbortController();
  #failure: string | undefined;
  #work: Promise<void> | undefined;

  constructor(options: GrantedDaysOptions) {
    this.#options = options;
  }

  /** Returns the end of it, which waits for what is under way. */
  start(): () => Promise<void> {
    void this.beat();
    const stop = every(this.#options.clock, BEAT_MS, () => this.beat());
    return async () => {
      stop();
      this.#stopping.abort();
      await this.#work;
    };
  }

  /** Never rejects. */
  beat(): Promise<void> {
    this.#work ??= this.#bring().finally(() => {
      this.#work = undefined;
    });
    return this.#work;
  }

  /** What somebody should see to, in words. */
  warnings(): readonly string[] {
    const full = new Set([...this.#brought].filter(([, { isFull }]) => isFull).map(([name]) => name.slice(0, 8)));
    return [...full].map((date) => `${date} has more access keys than fit: raise KEYD_KEY_MEMORY`);
  }

  async #bring(): Promise<void> {
    const { grants, sets, log } = this.#options;
    try {
      if (await grants.refresh(this.#stopping.signal)) await this.#dropUngranted();
      for (const date of grants.days) {
        for (const which of sets) await this.#bringSet(date, which);
      }
      if (this.#failure !== undefined) log.info('granted days are fetched again');
      this.#failure = undefined;
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      const failure = error instanceof Error ? error.message : String(error);
      if (failure !== this.#failure) {
        log.warn(
          { event: 'granted-days-not-fetched', err: error },
          'granted days cannot be fetched; trying every minute',
        );
      }
      this.#failure = failure;
    }
  }

  async #bringSet(date: ScopeDate, which: StreamedSet): Promise<void> {
    const { dateKeys, source, clock } = this.#options;
    if (!dateKeys.days.covers(date)) return;
    const brought = this.#of(date, which);
    if (brought.wholeAt !== undefined && clock.now() - brought.wholeAt < AGAIN_AFTER_MS[which]) return;
    const pull = (brought.pull ??= dayIntoHeld(dateKeys.days, source, { date, which }));
    await pull.advance();
    brought.wholeAt = clock.now();
    brought.isFull = pull.isFull;
    delete brought.pull;
  }

  #of(date: ScopeDate, which: StreamedSet): Brought {
    const name = `${date}/${which}` as const;
    const known = this.#brought.get(name);
    if (known) return known;
    const brought = { isFull: false };
    this.#brought.set(name, brought);
    return brought;
  }

  async #dropUngranted(): Promise<void> {
    const { grants, dateKeys, denialOf, log } = this.#options;
    for (const name of this.#brought.keys()) {
      if (!grants.days.some((date) => name.startsWith(date))) this.#brought.delete(name);
    }
    const wiped = await dateKeys.purge((date, facts) => denialOf(date, facts) !== undefined);
    if (wiped > 0)
      log.warn({ event: 'ungranted-keys-wiped', wiped }, 'keys of days that are no longer granted are gone');
  }
}
