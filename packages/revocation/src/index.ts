export { beacon, MOST_BANNED, signBeacon, verifyBeacon, type Beacon, type SignedBeacon } from './beacon.js';
export { describeScope } from './describe-scope.js';
export {
  DOCUMENT_KINDS,
  KEY_PURPOSES,
  MOST_BEACON_BYTES,
  MOST_DOCUMENT_BYTES,
  type DocumentKind,
  type KeyPurpose,
} from './document-kinds.js';
export { feedDocument, MOST_FEED_BYTES, MOST_STATEMENTS, parseFeedDocument, type FeedDocument } from './feed.js';
export {
  createFeedKey,
  exportFeedKey,
  importFeedKey,
  publicJwk,
  type FeedKey,
  type PrivateFeedJwk,
  type PublicFeedJwk,
} from './feed-key.js';
export { FEED_PROBLEMS, FeedError, type FeedProblem } from './feed-problem.js';
export { FeedState, type Acceptance, type BeaconOutcome, type RestoredFeedState } from './feed-state.js';
export { DEFAULT_HORIZONS, freshnessOf, type BeaconTimes, type Freshness, type Horizons } from './freshness.js';
export { hits, type RevocableScope } from './matching.js';
export { pinFeedKeys, publicJwks, type FeedJwks, type PinnedKey, type PinnedKeys } from './pinned-keys.js';
export { keptUntil, mayBeForgotten, type RetentionRule } from './retention.js';
export { RevocationSet, type RevocationLookup } from './revocation-set.js';
export { isSameSet, nameSet, type SetName } from './set-hash.js';
export { type DocumentDigest } from './signed-document.js';
export {
  isLift,
  isRevocation,
  liftStatement,
  revocationStatement,
  signStatement,
  statementDigest,
  verifyStatement,
  type LiftStatement,
  type RevocationStatement,
  type SignedStatement,
  type Statement,
} from './statement.js';
export { verifyStatements, type RefusedStatement, type VerifiedStatements } from './verify-statements.js';
