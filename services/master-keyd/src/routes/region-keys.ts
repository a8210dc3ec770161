import { REGION_KEYS } from '@sigv4-keyd/hop-protocol';
import { issuingRoute, type MtlsApp, type PeerBudget } from '@sigv4-keyd/service-skeleton';
import { regionKeysFor, type IssuingOptions } from '../key-source.js';

/** POST /v1/region-keys: a region's own kRegion for one day. */
export function regionKeysRoute(app: MtlsApp, budget: PeerBudget, options: IssuingOptions): void {
  issuingRoute(app, {
    hop: REGION_KEYS,
    role: 'region',
    budget,
    issueTo: (asker) => ({ scope: { region: asker.peer.region }, keys: regionKeysFor(asker, options) }),
  });
}
