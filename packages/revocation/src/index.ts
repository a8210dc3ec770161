export {
  ACCESS_KEY_STATUSES,
  readChange,
  supersedes,
  writeChange,
  type AccessKeyChange,
  type AccessKeyStatus,
} from './access-key-change.js';
export {
  intoPages,
  MOST_CHANGES_A_PAGE,
  signAccessKeyPage,
  type AccessKeyPage,
  type SignedPage,
} from './access-key-page.js';
export { beacon, MOST_BANNED, signBeacon, verifyBeacon, type Beacon, type SignedBeacon } from './beacon.js';
export { ChangedAccessKeys, type AccessKeyLookup } from './changed-access-keys.js';
export { describeScope } from './describe-scope.js';
export {
  DOCUMENT_KINDS,
  KEY_PURPOSES,
  MOST_BEACON_BYTES,
  MOST_DOCUMENT_BYTES,
  MOST_PAGE_BYTES,
  type DocumentKind,
  type KeyPurpose,
} from './document-kinds.js';
export {
  feedDocument,
  MOST_FEED_BYTES,
  MOST_PAGES,
  MOST_STATEMENTS,
  parseFeedDocument,
  type FeedDocument,
} from './feed.js';
export {
  createFeedKey,
  exportFeedKey,
  importFeedKey,
  publicJwk,
  type FeedKey,
  type PrivateFeedJwk,
  type PublicFeedJwk,
} from './feed-key.js';
export { formsInStateFile } from './state-file.js';
export { FEED_PROBLEMS, FeedError, type FeedProblem } from './feed-problem.js';
export { FeedState, type Acceptance, type BeaconOutcome, type RestoredFeedState } from './feed-state.js';
export { DEFAULT_HORIZONS, freshnessOf, type BeaconTimes, type Freshness, type Horizons } from './freshness.js';
export { hits, type RevocableScope } from './matching.js';
export { pinFeedKeys, publicJwks, type FeedJwks, type PinnedKey, type PinnedKeys } from './pinned-keys.js';
export { keptUntil, mayBeForgotten, type RetentionRule } from './retention.js';
export { RevocationSet, type RevocationLookup } from './revocation-set.js';
export { isSameSet, nameSet, type SetName } from './set-hash.js';
export { openDocument, signDocument, type DocumentDigest, type FlatContent } from './signed-document.js';
export { isPage, isStatement, verifyFact, type SignedFact } from './signed-fact.js';
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
export { verifyFacts, verifyStatements, type RefusedStatement, type VerifiedSet } from './verify-set.js';
