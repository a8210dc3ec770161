import {
  dayIntoHeld,
  type DayPull,
  type DaySource,
  type DayTransfer,
  type HeldDays,
  type StreamedSet,
} from '@sigv4-keyd/hop-protocol';
import type { KRegion, ScopeDate } from '@sigv4-keyd/sigv4-core';
import { IdRoll } from './id-roll.js';

/**
 * Who is in a set of a day, in order, while and after its keys come down from the master: what any number of edges'
 * streams go along, each at its own pace.
 */
export class DayRoster implements DayTransfer {
  readonly #pull: DayPull;
  readonly #ids = new IdRoll();
  #waiting: (() => void)[] = [];

  constructor(
    days: HeldDays<KRegion>,
    source: DaySource,
    set: { readonly date: ScopeDate; readonly which: StreamedSet },
  ) {
    this.#pull = dayIntoHeld(days, source, set, {
      onBegin: () => this.#ids.clear(),
      onHeld: (accessKeyIds) => {
        this.#ids.append(accessKeyIds);
        this.#wake();
      },
    });
  }

  get isOver(): boolean {
    return this.#pull.isOver;
  }

  /** Whether access keys were left out because no more can be held. */
  get isFull(): boolean {
    return this.#pull.isFull;
  }

  advance(): Promise<void> {
    return this.#pull.advance();
  }

  /**
   * The access key ids after this one, a page at a time, waiting for those that are still to come. `arrival` settles
   * once all are there, or rejects when that cannot be.
   */
  async *idsAfter(after: string | undefined, arrival: Promise<void>): AsyncGenerator<readonly string[]> {
    // Nobody may be listening any more when it fails.
    arrival.catch(() => undefined);
    for (let last = after; ;) {
      const ids = this.#ids.after(last);
      if (ids.length > 0) {
        yield ids;
        last = ids.at(-1);
      } else if (this.isOver) {
        return;
      } else {
        await Promise.race([this.#grown(), arrival]);
      }
    }
  }

  #grown(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    const woken = this.#waiting;
    this.#waiting = [];
    for (const wake of woken) wake();
  }
}
