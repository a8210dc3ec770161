export { MASTER_ANSWERS_AFTER_MS } from './counted-tiers.js';
export type { SecondCounts } from './counts.js';
export { returnOfEdges, type Outage, type Return } from './return-of-edges.js';
