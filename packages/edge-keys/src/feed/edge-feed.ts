import {
  FreshnessWatch,
  httpsFeedSource,
  mtlsFeedSource,
  PeerClient,
  type Clock,
  type EdgeReport,
  type FeedFollower,
  type FeedSource,
  type FeedStatus,
  type Freshness,
  type Horizons,
} from '@sigv4-keyd/hop-protocol';
import { openFollowedFeed, type Logger, type TierAbove, type Traces } from '@sigv4-keyd/service-skeleton';
import { Agent, type Dispatcher } from 'undici';
import type { EdgeKeysSettings } from '../settings.js';
import { FeedInForce } from '../sharing/feed-in-force.js';
import { sharedFeed, type SharedFeed } from '../sharing/shared-keys.js';

export interface EdgeFeedOptions {
  /** Dials our own region only. */
  readonly ownRegion: Pick<TierAbove, 'feedSources'>;
  /** Dials any region: for the feed alone, which is believed for its signatures. */
  readonly anyRegion: Dispatcher;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
  readonly tracer?: Traces['tracer'];
}

/** The edge's view of the feed, from all its sources. */
export class EdgeFeed {
  readonly follower: FeedFollower;
  readonly horizons: Horizons;
  readonly #inForce: FeedInForce;
  readonly #watch: FreshnessWatch;
  readonly #web: Agent;
  #stopWatching = (): void => undefined;

  private constructor(follower: FeedFollower, horizons: Horizons, web: Agent, options: EdgeFeedOptions) {
    this.follower = follower;
    this.horizons = horizons;
    this.#web = web;
    this.#inForce = new FeedInForce(follower);
    this.#inForce.follow(follower);
    this.#watch = new FreshnessWatch(follower, horizons, options);
  }

  static async open(settings: EdgeKeysSettings, options: EdgeFeedOptions): Promise<EdgeFeed> {
    const { softHorizon: softSeconds, hardHorizon: hardSeconds } = settings;
    const web = new Agent();
    const follower = await openFollowedFeed(settings, sourcesOf(settings, options, web), options);
    return new EdgeFeed(follower, { softSeconds, hardSeconds }, web, options);
  }

  start(): void {
    this.#stopWatching = this.#watch.start();
    this.follower.start();
  }

  async close(): Promise<void> {
    this.#stopWatching();
    await this.follower.close();
    await this.#web.close();
  }

  get freshness(): Freshness {
    return this.#watch.freshness;
  }

  /** Past the hard horizon nothing is served. */
  notReady(): readonly string[] {
    return this.freshness === 'hard' ? this.#watch.warnings() : [];
  }

  /** When nothing is served any more unless news arrive, epoch milliseconds. */
  silenceEndsAt(): number {
    const { beacon } = this.follower.state;
    if (beacon === undefined) return 0;
    return Math.min(Date.parse(beacon.at) + this.horizons.hardSeconds * 1000, Date.parse(beacon.expires));
  }

  /** For further processes that judge by it, too. */
  get shared(): SharedFeed {
    return sharedFeed(this.follower, this.#inForce);
  }

  /** How far the feed is in force here, for the tier above. */
  seen(): Pick<EdgeReport, 'feed'> {
    const { beacon } = this.#inForce;
    return beacon === undefined ? {} : { feed: { version: beacon.version, at: beacon.at } };
  }

  warnings(): readonly string[] {
    return this.#watch.warnings();
  }

  /** Version and time are those of what is in force. */
  get status(): FeedStatus & { readonly freshness: Freshness } {
    const { beacon } = this.#inForce;
    const inForce = { version: beacon?.version, at: beacon && Date.parse(beacon.at) };
    return { ...this.follower.status, ...inForce, freshness: this.freshness };
  }
}

function sourcesOf(
  { feedRegions = [], feedSources = [] }: EdgeKeysSettings,
  { ownRegion, anyRegion, tracer }: EdgeFeedOptions,
  web: Dispatcher,
): readonly FeedSource[] {
  return [
    ...ownRegion.feedSources,
    ...feedRegions.map((url) =>
      mtlsFeedSource(url.host, new PeerClient({ urls: [url], dispatcher: anyRegion, tracer })),
    ),
    ...feedSources.map((url) => httpsFeedSource(url, { dispatcher: web })),
  ];
}
