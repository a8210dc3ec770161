import type { RegionKeySource } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import { edgeKeysRoute, type EdgeKeysRouteOptions } from '../edge-keys-route.js';
import { K_SIGNING } from '../edge-rungs.js';

/** POST /v1/signing-keys: kSigning for one day, for an edge that is bound to a purpose. */
export function signingKeysRoute(
  app: MtlsApp,
  { regionKeys, ...options }: EdgeKeysRouteOptions & { readonly regionKeys: RegionKeySource },
): void {
  edgeKeysRoute(app, { ...K_SIGNING, held: regionKeys }, options);
}
