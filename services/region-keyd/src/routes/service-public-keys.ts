import { SERVICE_PUBLIC_KEYS, type AttestedPublicKey, type KeySource } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import { edgeKeysRoute, type EdgeKeysRouteOptions } from '../edge-keys-route.js';

/** POST /v1/service-public-keys: the public keys that an edge verifies AWS4-ECDSA-P256-SHA256 with, passed on. */
export function servicePublicKeysRoute(
  app: MtlsApp,
  { publicKeys, ...options }: EdgeKeysRouteOptions & { readonly publicKeys: KeySource<AttestedPublicKey> },
): void {
  edgeKeysRoute(app, { hop: SERVICE_PUBLIC_KEYS, rung: 'publicKey', held: publicKeys, take: (key) => key }, options);
}
