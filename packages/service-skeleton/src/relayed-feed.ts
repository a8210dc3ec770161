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
import type { OpenedParts } from './opened-parts.js';

export interface RelayedFeedContext {
  /** The feed as each parent serves it. */
  readonly sources: readonly FeedSource[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
}

export interface RelayedFeed {
  readonly feed: FeedFollower;
  /** Who relays a stale feed goes on serving: each edge judges by its own horizons. It is told, all the same. */
  readonly freshness: FreshnessWatch;
}

/** The feed of all parents, to be passed on. Nothing is asked before both are started. */
export async function openRelayedFeed(
  settings: FollowedFeedSettings,
  context: RelayedFeedContext,
  parts: OpenedParts,
): Promise<RelayedFeed> {
  const feed = await openFollowedFeed(settings, context.sources, context);
  parts.add(() => feed.close());
  return { feed, freshness: new FreshnessWatch(feed, DEFAULT_HORIZONS, context) };
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
