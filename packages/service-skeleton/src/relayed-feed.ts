import {
  DEFAULT_HORIZONS,
  FreshnessWatch,
  type Clock,
  type FeedFollower,
  type FeedSource,
  type FeedStatus,
  type Freshness,
  type RegionReport,
} from '@sigv4-keyd/hop-protocol';
import { openFollowedFeed, type FollowedFeedSettings } from './followed-feed.js';
import type { Logger } from './logging.js';

export interface RelayedFeedContext {
  /** The feed as each parent serves it. */
  readonly sources: readonly FeedSource[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
}

/** The feed of all parents, to be passed on. */
export function openRelayedFeed(settings: FollowedFeedSettings, context: RelayedFeedContext): Promise<FeedFollower> {
  return openFollowedFeed(settings, context.sources, context);
}

/** Who relays a stale feed goes on serving: each edge judges by its own horizons. It is told, all the same. */
export function watchFreshness(feed: FeedFollower, context: Omit<RelayedFeedContext, 'sources'>): FreshnessWatch {
  return new FreshnessWatch(feed, DEFAULT_HORIZONS, context);
}

export function feedStatus(
  feed: FeedFollower,
  watch: FreshnessWatch,
): FeedStatus & { readonly freshness: Freshness; readonly banned: readonly string[] } {
  return { ...feed.status, freshness: watch.freshness, banned: feed.state.beacon?.banned ?? [] };
}

/** How far the feed had come, with the proof: a master that was set back learns it from here. */
export function seenFeed({ state: { beacon, document } }: FeedFollower): Pick<RegionReport, 'feed'> {
  if (beacon === undefined || document === undefined) return {};
  return { feed: { version: beacon.version, at: beacon.at, beacon: document.beacon } };
}
