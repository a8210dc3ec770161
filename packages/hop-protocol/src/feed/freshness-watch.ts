import type { Beacon, Freshness, Horizons } from '@sigv4-keyd/revocation';
import { every, type Cancel, type Clock } from '../clock.js';
import type { FeedFollower } from './feed-follower.js';
import type { FeedLog } from './feed-log.js';

const LOOK_EVERY_MS = 1_000;

/** Tells in the log when the feed grows stale and when it is fresh again, once a change. It decides nothing. */
export class FreshnessWatch {
  readonly #feed: FeedFollower;
  readonly #horizons: Horizons;
  readonly #clock: Clock;
  readonly #log: FeedLog;
  #told: Freshness | undefined;
  #shortestLifeTold = Infinity;

  constructor(feed: FeedFollower, horizons: Horizons, context: { readonly clock: Clock; readonly log: FeedLog }) {
    this.#feed = feed;
    this.#horizons = horizons;
    this.#clock = context.clock;
    this.#log = context.log;
  }

  start(): Cancel {
    const stopLooking = every(this.#clock, LOOK_EVERY_MS, () => this.#look());
    const unsubscribe = this.#feed.subscribe({
      onBeacon: (beacon) => {
        this.#checkLife(beacon);
        this.#look();
      },
    });
    return () => {
      stopLooking();
      unsubscribe();
    };
  }

  get freshness(): Freshness {
    return this.#feed.state.freshness(this.#clock.now(), this.#horizons);
  }

  /** For the readiness probe, in words; empty while the feed is fresh. */
  warnings(): readonly string[] {
    const { freshness } = this;
    return freshness === 'fresh' ? [] : [this.#sentence(freshness)];
  }

  #look(): void {
    const { freshness } = this;
    if (freshness === this.#told) return;
    const isFirst = this.#told === undefined;
    this.#told = freshness;
    const line = { event: 'feed-freshness', freshness, ...this.#age() };
    if (freshness === 'fresh') this.#log.info(line, 'the revocation feed is fresh');
    else if (freshness === 'soft' || isFirst) this.#log.warn(line, this.#sentence(freshness));
    else this.#log.error(line, this.#sentence(freshness));
  }

  #sentence(freshness: 'soft' | 'hard'): string {
    const { softSeconds, hardSeconds } = this.#horizons;
    const { ageSeconds } = this.#age();
    if (ageSeconds === undefined) return 'no beacon of the revocation feed has been accepted yet';
    const horizon =
      freshness === 'soft' ? `the soft horizon of ${softSeconds}s` : `the hard horizon of ${hardSeconds}s`;
    return `the newest beacon of the revocation feed is ${ageSeconds}s old: past ${horizon}, or its own expiry`;
  }

  #age(): { readonly ageSeconds?: number } {
    const { at } = this.#feed.status;
    return at === undefined ? {} : { ageSeconds: Math.round((this.#clock.now() - at) / 1000) };
  }

  #checkLife({ at, expires }: Beacon): void {
    const lifeSeconds = (Date.parse(expires) - Date.parse(at)) / 1000;
    const { hardSeconds } = this.#horizons;
    if (lifeSeconds >= hardSeconds || lifeSeconds >= this.#shortestLifeTold) return;
    this.#shortestLifeTold = lifeSeconds;
    this.#log.warn(
      { event: 'beacon-life-short', lifeSeconds, hardSeconds },
      'beacons expire before the hard horizon, so that their life counts instead; lengthen it at the master',
    );
  }
}
