import { scopeDateOf, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Clock } from '../clock.js';
import type { WantedKeys } from '../prefetch.js';
import type { StreamedSet } from './day-stream-api.js';

/** A set of keys of one day on its way down. Rejects with a KeydError; called again, it goes on where it was. */
export interface DayTransfer {
  readonly isOver: boolean;
  /** Whether it is over because no more can be held. */
  readonly isFull: boolean;
  advance(): Promise<void>;
}

export interface WantedDaysOptions<Transfer extends DayTransfer> {
  /** Which sets are brought. */
  readonly sets: readonly StreamedSet[];
  readonly begin: (date: ScopeDate, which: StreamedSet) => Transfer;
  readonly clock: Clock;
  /** A number from 0 up to 1, for jitter. */
  readonly random: () => number;
}

interface Wanted<Transfer> {
  readonly date: ScopeDate;
  /** The newest that is over. */
  over?: { readonly transfer: Transfer; readonly at: number };
  running?: Transfer;
}

/** Operators pin now and then: pinned keys are brought again after so long, half as much more by chance. */
const PINNED_AGAIN_AFTER_MS = 40 * 60_000;

/** Brings the keys that are wanted although nobody has used them: the pinned ones, or all of a day. */
export class WantedDays<Transfer extends DayTransfer> implements WantedKeys {
  readonly #options: WantedDaysOptions<Transfer>;
  readonly #wanted = new Map<`${ScopeDate}/${StreamedSet}`, Wanted<Transfer>>();
  readonly #pinnedAgainAfterMs: number;

  constructor(options: WantedDaysOptions<Transfer>) {
    this.#options = options;
    this.#pinnedAgainAfterMs = PINNED_AGAIN_AFTER_MS * (1 + options.random() / 2);
  }

  async bring(date: ScopeDate): Promise<void> {
    this.#forgetPastDays();
    for (const which of this.#options.sets) {
      await this.bringSet(date, which, which === 'pinned' ? this.#pinnedAgainAfterMs : Infinity);
    }
  }

  /** Resolves once a transfer is over that is no older than `oldestMs`. Rejects with a KeydError. */
  async bringSet(date: ScopeDate, which: StreamedSet, oldestMs: number): Promise<void> {
    const { clock, begin } = this.#options;
    const wanted = this.#of(date, which);
    if (wanted.over && clock.now() - wanted.over.at < oldestMs) return;
    const transfer = (wanted.running ??= begin(date, which));
    await transfer.advance();
    if (wanted.running !== transfer) return;
    wanted.over = { transfer, at: clock.now() };
    delete wanted.running;
  }

  get daysCutShort(): readonly ScopeDate[] {
    const days = [...this.#wanted.values()].flatMap(({ over, date }) => (over?.transfer.isFull === true ? [date] : []));
    return [...new Set(days)];
  }

  /** The newest transfer that is over, else the one that is under way. */
  newest(date: ScopeDate, which: StreamedSet): Transfer | undefined {
    const { over, running } = this.#of(date, which);
    return over?.transfer ?? running;
  }

  #of(date: ScopeDate, which: StreamedSet): Wanted<Transfer> {
    const name = `${date}/${which}` as const;
    const known = this.#wanted.get(name);
    if (known) return known;
    const wanted: Wanted<Transfer> = { date };
    this.#wanted.set(name, wanted);
    return wanted;
  }

  /** What was brought stays held; only how far it came is forgotten. */
  #forgetPastDays(): void {
    const today = scopeDateOf(this.#options.clock.now());
    for (const [name, { date }] of this.#wanted) if (date < today) this.#wanted.delete(name);
  }
}
