import type { FeedParts } from './open-feed.js';

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
