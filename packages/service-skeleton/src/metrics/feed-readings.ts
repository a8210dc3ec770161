import type { Clock, FeedFollower, Freshness } from '@sigv4-keyd/hop-protocol';
import type { Readings } from './definitions.js';

type FeedName =
  | 'keyd_feed_version'
  | 'keyd_feed_age_seconds'
  | 'keyd_feed_statements'
  | 'keyd_feed_access_key_changes'
  | 'keyd_feed_banned_identities'
  | 'keyd_feed_stale'
  | 'keyd_feed_source_reachable';

/** What a tier below the master holds of the feed. */
export function feedReadings(
  feed: Pick<FeedFollower, 'status' | 'state'>,
  freshness: Freshness,
  clock: Pick<Clock, 'now'>,
): Pick<Readings<'edge-verifier'>, FeedName> {
  const { version = 0, at, statements, accessKeyChanges, sources } = feed.status;
  return {
    keyd_feed_version: version,
    keyd_feed_age_seconds: at === undefined ? Infinity : (clock.now() - at) / 1000,
    keyd_feed_statements: statements,
    keyd_feed_access_key_changes: accessKeyChanges,
    keyd_feed_banned_identities: feed.state.beacon?.banned.length ?? 0,
    keyd_feed_stale: [
      { labels: { horizon: 'soft' }, value: freshness === 'fresh' ? 0 : 1 },
      { labels: { horizon: 'hard' }, value: freshness === 'hard' ? 1 : 0 },
    ],
    keyd_feed_source_reachable: sources.map(({ source, isReachable }) => ({
      labels: { source },
      value: isReachable ? 1 : 0,
    })),
  };
}
