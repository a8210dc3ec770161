import {
  DEFAULT_HORIZONS,
  FreshnessWatch,
  type Clock,
  type FeedFollower,
  type FeedStatus,
  type Freshness,
  type RegionReport,
} from '@sigv4-keyd/hop-protocol';
import { openFollowedFeed, type Logger, type TierAbove } from '@sigv4-keyd/service-skeleton';
import type { Configuration } from '../configuration.js';

export interface RegionFeedContext {
  readonly masters: Pick<TierAbove, 'feedSources'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
}

/** The feed as every master serves it. */
export function openRegionFeed(configuration: Configuration, context: RegionFeedContext): Promise<FeedFollower> {
  return openFollowedFeed(configuration, context.masters.feedSources, context);
}

/** A region goes on serving with a stale feed: each edge judges by its own horizons. It is told, all the same. */
export function watchFreshness(feed: FeedFollower, context: RegionFeedContext): FreshnessWatch {
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
