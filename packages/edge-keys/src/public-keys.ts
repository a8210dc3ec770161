import {
  attestedOnly,
  mtlsKeySource,
  PREFETCH_HOURS,
  SERVICE_PUBLIC_KEYS,
  spiffeIdOf,
  type EdgeIdentity,
  type PeerClient,
} from '@sigv4-keyd/hop-protocol';
import { tendPublicKeys, type TendedKeys, type TendingContext } from '@sigv4-keyd/service-skeleton';
import {
  ECDSA_PUBLIC_KEY_BYTES,
  exportEcdsaPublicKey,
  importEcdsaPublicKey,
  type EcdsaPublicKey,
} from '@sigv4-keyd/sigv4-core';
import type { EdgeKeysSettings } from './settings.js';
import { MISS_BUDGET } from './key-source.js';
import { windowRuleOf } from './window.js';

/** How public keys are held: they were attested when they came, so that the attestations need not be kept. */
export const EDGE_PUBLIC_KEYS = {
  path: SERVICE_PUBLIC_KEYS.path,
  keyBytes: ECDSA_PUBLIC_KEY_BYTES,
  exportKey: exportEcdsaPublicKey,
  importKey: importEcdsaPublicKey,
} as const;

/** The public keys that this edge verifies ECDSA signatures with, asked of region-keyd once an access key and day. */
export function openEdgePublicKeys(
  own: EdgeIdentity,
  settings: EdgeKeysSettings,
  region: PeerClient,
  context: TendingContext,
): Promise<TendedKeys<EcdsaPublicKey>> {
  const scope = { region: own.region, service: own.service };
  const passedOn = mtlsKeySource(SERVICE_PUBLIC_KEYS, scope, region);
  return tendPublicKeys(
    settings,
    {
      parent: attestedOnly(passedOn, {
        region: own.region,
        pinned: context.feed.pinned,
        onRefused: (accessKeyId) =>
          context.log.error(
            { event: 'public-key-not-attested', security: true, accessKeyId },
            'the region answered a public key that no pinned key attests: it was broken into, or the feed keys were ' +
              'rotated and the new ones are not pinned here (KEYD_FEED_KEYS)',
          ),
      }),
      form: EDGE_PUBLIC_KEYS,
      window: windowRuleOf(settings),
      hours: PREFETCH_HOURS.edge,
      identity: spiffeIdOf(own),
      missBudget: MISS_BUDGET,
    },
    context,
  );
}
