export { FeedCopy, type FeedCopyOptions } from './feed-copy.js';
export * from './feed-follower.js';
export { type FeedLog } from './feed-log.js';
export * from './feed-source.js';
export * from './feed-storage.js';
export { FEED_BEAT_MS, FollowedSource, type FollowedSourceOptions, type SourceStatus } from './followed-source.js';
export * from './freshness-watch.js';
export * from './https-feed-source.js';
export { type FeedMark } from './kept-state.js';
export * from './key-denials.js';
export * from './mtls-feed-source.js';
export * from './own-ban.js';
// What services name of the feed without reading its documents themselves.
export {
  DEFAULT_HORIZONS,
  FeedError,
  MOST_FEED_BYTES,
  pinFeedKeys,
  type Acceptance,
  type Beacon,
  type FeedDocument,
  type Freshness,
  type Horizons,
  type PinnedKeys,
} from '@sigv4-keyd/revocation';
