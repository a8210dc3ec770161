export * from './acceptances.js';
export * from './access-key-change-api.js';
export * from './cached-key-source.js';
export * from './clock.js';
export * from './custody-api.js';
export * from './custody-recovery/index.js';
export * from './custody-signer/index.js';
export * from './day-stream/index.js';
export * from './deputy-api.js';
export * from './errors.js';
export * from './feed-api.js';
export * from './feed/index.js';
export * from './held-days.js';
export * from './held-keys/index.js';
export * from './holding.js';
export * from './hops.js';
export * from './identity.js';
export * from './incident-api.js';
export * from './key-answer.js';
export * from './key-gauges.js';
export * from './key-source.js';
export * from './ledger-api.js';
export { LookupBatches, type Finding, type LookupBatchesOptions } from './lookup-batches.js';
export { TokenBucket, type TokenRate } from './token-bucket.js';
export * from './tracing/index.js';
export * from './longer-windows.js';
export * from './mtls-key-source.js';
export * from './operator-api.js';
export { ParentHealth, type ParentHealthOptions, type ParentStatus } from './parents/parent-health.js';
export { PeerRefusal } from './parents/peer-request.js';
export * from './overview-api.js';
export * from './peer-client.js';
export * from './prefetch-hours.js';
export * from './prefetch.js';
export * from './public-keys/index.js';
export * from './ready-api.js';
export * from './revocation-api.js';
export * from './rollup-rules.js';
export * from './schemas.js';
export * from './sealed-keys/index.js';
export * from './sessions/index.js';
export * from './tier-report.js';
// Every tier holds keys by the same rule of days: it is part of what both ends of a hop agree on.
export {
  isInWindow,
  LONGEST_PRESIGNED_SECONDS,
  mostDaysInWindow,
  TOMORROW_FROM_MS,
  windowOfDays,
  type WindowRule,
} from '@sigv4-keyd/sigv4-core';
