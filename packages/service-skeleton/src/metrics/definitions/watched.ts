/** The services that have metrics. */
export const WATCHED = ['master-keyd', 'deputy-keyd', 'region-keyd', 'edge-verifier', 'custody-signer'] as const;
export type Watched = (typeof WATCHED)[number];

export const ALL = WATCHED;
export const TIERS = ['master-keyd', 'deputy-keyd', 'region-keyd', 'edge-verifier'] as const;
export const MASTER = ['master-keyd'] as const;
export const DEPUTY = ['deputy-keyd'] as const;
export const SIGNER = ['custody-signer'] as const;
export const REGION = ['region-keyd'] as const;
export const EDGE = ['edge-verifier'] as const;
export const SERVING = ['master-keyd', 'deputy-keyd', 'region-keyd'] as const;
export const ISSUING = ['deputy-keyd', 'region-keyd'] as const;
export const ANSWERING = ['master-keyd', 'deputy-keyd', 'region-keyd', 'custody-signer'] as const;
export const BELOW = ['deputy-keyd', 'region-keyd', 'edge-verifier'] as const;
export const COUNTING = ['region-keyd', 'edge-verifier'] as const;
