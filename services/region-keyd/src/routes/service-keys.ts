import { SERVICE_KEYS, type RegionKeySource } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import { kService } from '@sigv4-keyd/sigv4-core';
import { edgeKeysRoute, type EdgeKeysRouteOptions } from '../edge-keys-route.js';

/** POST /v1/service-keys: an edge's kService for one day, one step down the ladder. */
export function serviceKeysRoute(
  app: MtlsApp,
  { regionKeys, ...options }: EdgeKeysRouteOptions & { readonly regionKeys: RegionKeySource },
): void {
  edgeKeysRoute(
    app,
    { hop: SERVICE_KEYS, rung: 'kService', held: regionKeys, take: (key, { service }) => kService(key, service) },
    options,
  );
}
