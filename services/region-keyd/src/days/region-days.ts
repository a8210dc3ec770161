import {
  KeydError,
  mtlsDaySource,
  REGION_KEYS,
  WantedDays,
  type CachedKeySource,
  type Clock,
  type DayStreamRequest,
  type PeerStreams,
  type RegionIdentity,
  type WantedKeys,
} from '@sigv4-keyd/hop-protocol';
import { streamedSetsOf } from '@sigv4-keyd/service-skeleton';
import { scopeDateOf, type KRegion, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Configuration } from '../configuration.js';
import { DayRoster } from './day-roster.js';

export interface RegionDaysOptions {
  readonly own: RegionIdentity;
  readonly regionKeys: CachedKeySource<KRegion>;
  readonly master: PeerStreams;
  readonly clock: Clock;
  readonly random: () => number;
}

/** An edge that asks for pinned keys is served from what came no longer ago; an operator's pin is soon known. */
const PINNED_GOOD_FOR_MS = 10 * 60_000;

/** The days that come down from the master whole, and go on to the edges. */
export class RegionDays implements WantedKeys {
  readonly #options: RegionDaysOptions;
  readonly #wanted: WantedDays<DayRoster>;

  constructor({ prefetch }: Pick<Configuration, 'prefetch'>, options: RegionDaysOptions) {
    this.#options = options;
    const { own, regionKeys, master, clock, random } = options;
    const source = mtlsDaySource(REGION_KEYS, { region: own.region }, master);
    this.#wanted = new WantedDays({
      sets: streamedSetsOf(prefetch),
      begin: (date, which) => new DayRoster(regionKeys.days, source, { date, which }),
      clock,
      random,
    });
  }

  get daysCutShort(): readonly ScopeDate[] {
    return this.#wanted.daysCutShort;
  }

  bring(date: ScopeDate): Promise<void> {
    return this.#wanted.bring(date);
  }

  /**
   * The access key ids of a set, a page at a time, their keys held by then. What is not here yet is asked of the
   * master, once for all edges that wait for it. Throws KeydError.
   */
  async *idsOf({ date, which, after }: DayStreamRequest): AsyncGenerator<readonly string[]> {
    this.#requireStreamed(date);
    const arrival = this.#wanted.bringSet(date, which, which === 'pinned' ? PINNED_GOOD_FOR_MS : Infinity);
    if (which === 'pinned') await this.#arrived(arrival, date);
    const roster = this.#wanted.newest(date, which);
    if (roster) yield* roster.idsAfter(after, arrival);
  }

  /** With the master down, the pinned ones of before are better than none. */
  async #arrived(arrival: Promise<void>, date: ScopeDate): Promise<void> {
    try {
      await arrival;
    } catch (error) {
      if (this.#wanted.newest(date, 'pinned')?.isOver !== true) throw error;
    }
  }

  /** Days that are over are good for presigned URLs alone: their keys are asked for singly, and no roster is kept. */
  #requireStreamed(date: ScopeDate): void {
    const { clock, regionKeys } = this.#options;
    if (regionKeys.days.covers(date) && date >= scopeDateOf(clock.now())) return;
    throw new KeydError('date-outside-window', { detail: `${date}: today and tomorrow come as a stream` });
  }
}
