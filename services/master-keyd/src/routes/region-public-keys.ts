import { REGION_PUBLIC_KEYS } from '@sigv4-keyd/hop-protocol';
import { issuingRoute, type MtlsApp, type PeerBudget } from '@sigv4-keyd/service-skeleton';
import { regionPublicKeysFor, type RegionPublicKeysOptions } from '../public-key-source.js';

/** POST /v1/region-public-keys: the public keys that a region's edges verify AWS4-ECDSA-P256-SHA256 with. */
export function regionPublicKeysRoute(app: MtlsApp, budget: PeerBudget, options: RegionPublicKeysOptions): void {
  issuingRoute(app, {
    hop: REGION_PUBLIC_KEYS,
    role: 'region',
    budget,
    issueTo: (asker) => ({ scope: { region: asker.peer.region }, keys: regionPublicKeysFor(asker, options) }),
  });
}
