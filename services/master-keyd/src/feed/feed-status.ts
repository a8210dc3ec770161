import type { Readings } from '@sigv4-keyd/service-skeleton';
import type { FeedParts } from './open-feed.js';

type FeedName =
  | 'keyd_feed_version'
  | 'keyd_feed_age_seconds'
  | 'keyd_feed_statements'
  | 'keyd_feed_access_key_changes'
  | 'keyd_feed_banned_identities'
  | 'keyd_feed_publisher';

/** Why this master cannot do its work as far as the feed goes, in words. */
export function whyFeedIsNotReady({ feed }: Pick<FeedParts, 'feed'>): readonly string[] {
  if (feed.leftBehind) return [feed.leftBehind.sentence];
  return feed.held ? [] : ['no beacon could be signed or read yet; the log has the cause'];
}

export function feedStatus({ feed, publisher }: Pick<FeedParts, 'feed' | 'publisher'>): object {
  const { held } = feed;
  return {
    isPublisher: publisher.isPublisher,
    version: held?.version ?? 0,
    ...(held && {
      signedAt: new Date(held.at).toISOString(),
      statements: held.statements.length,
      banned: held.banned.size,
      accessKeyChanges: held.pages.changes.size,
      unpublishable: held.known.refused.length + held.pages.refused.length,
    }),
  };
}

/** What a scrape of metrics reads of the feed. `now`: epoch milliseconds. */
export function feedReadings(
  { feed: { held }, publisher }: Pick<FeedParts, 'feed' | 'publisher'>,
  now: number,
): Pick<Readings<'master-keyd'>, FeedName> {
  return {
    keyd_feed_version: held?.version ?? 0,
    keyd_feed_age_seconds: held ? (now - held.at) / 1000 : Infinity,
    keyd_feed_statements: held?.statements.length ?? 0,
    keyd_feed_access_key_changes: held?.pages.changes.size ?? 0,
    keyd_feed_banned_identities: held?.banned.size ?? 0,
    keyd_feed_publisher: publisher.isPublisher ? 1 : 0,
  };
}
