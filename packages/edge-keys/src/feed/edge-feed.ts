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
  readonly #watch: FreshnessWatch;
  readonly #web: Agent;
  #stopWatching = (): void => undefined;

  private constructor(follower: FeedFollower, horizons: Horizons, web: Agent, options: EdgeFeedOptions) {
    this.follower = follower;
    this.horizons = horizons;
    this.#web = web;
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

  /** How far the feed has come here, for the tier above. */
  seen(): Pick<EdgeReport, 'feed'> {
    const { beacon } = this.follower.state;
    return beacon === undefined ? {} : { feed: { version: beacon.version, at: beacon.at } };
  }

  warnings(): readonly string[] {
    return this.#watch.warnings();
  }

  status(): FeedStatus & { readonly freshness: Freshness } {
    return { ...this.follower.status, freshness: this.freshness };
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
