import { REGION_KEYS } from '@sigv4-keyd/hop-protocol';
import { issuingRoute, type MtlsApp, type PeerBudget } from '@sigv4-keyd/service-skeleton';
import { regionKeysFor, type RegionKeysOptions } from '../key-source.js';

/** POST /v1/region-keys: a region's own kRegion for one day. */
export function regionKeysRoute(app: MtlsApp, budget: PeerBudget, options: RegionKeysOptions): void {
  issuingRoute(app, {
    hop: REGION_KEYS,
    role: 'region',
    budget,
    issueTo: ({ peer: region, ...request }) => ({
      scope: { region: region.region },
      keys: regionKeysFor({ region, ...request }, options),
    }),
  });
}
