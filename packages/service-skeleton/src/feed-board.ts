import type { FeedFollower } from '@sigv4-keyd/hop-protocol';
import type { FeedBoard, ServedFeed } from './feed-route.js';

/** What the tier below is served: the newest accepted document in the very bytes that came, whatever its age. */
export function feedBoard(feed: FeedFollower): FeedBoard {
  let newest = servedFeed(feed);
  const listeners = new Set<() => void>();
  feed.subscribe({
    onBeacon: () => {
      newest = servedFeed(feed);
      for (const listener of listeners) listener();
    },
  });
  return {
    get newest() {
      return newest;
    },
    onNews(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function servedFeed({ state: { beacon, document } }: FeedFollower): ServedFeed | undefined {
  if (beacon === undefined || document?.statements === undefined) return undefined;
  const { version, setHash } = beacon;
  return { version, setHash, beacon: document.beacon, statements: document.statements };
}
