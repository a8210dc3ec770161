import type { RegionKeySource } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import { edgeKeysRoute, type EdgeKeysRouteOptions } from '../edge-keys-route.js';
import { K_SERVICE } from '../edge-rungs.js';

/** POST /v1/service-keys: an edge's kService for one day, one step down the ladder. */
export function serviceKeysRoute(
  app: MtlsApp,
  { regionKeys, ...options }: EdgeKeysRouteOptions & { readonly regionKeys: RegionKeySource },
): void {
  edgeKeysRoute(app, { ...K_SERVICE, held: regionKeys }, options);
}
