import {
  mtlsKeySource,
  PREFETCH_HOURS,
  REGION_PUBLIC_KEYS,
  spiffeIdOf,
  type AttestedPublicKey,
  type PeerClient,
  type RegionIdentity,
} from '@sigv4-keyd/hop-protocol';
import { tendPublicKeys, type TendedKeys, type TendingContext } from '@sigv4-keyd/service-skeleton';
import type { Configuration } from './configuration.js';
import { MISS_BUDGET } from './key-source.js';
import { windowRuleOf } from './policy.js';

/** The public keys that this region passes on, asked of master-keyd once an access key and day. */
export function openRegionPublicKeys(
  own: RegionIdentity,
  configuration: Configuration,
  master: PeerClient,
  context: TendingContext,
): Promise<TendedKeys<AttestedPublicKey>> {
  return tendPublicKeys(
    configuration,
    {
      // Whether the master attests them is judged by the edges: a region only passes them on.
      parent: mtlsKeySource(REGION_PUBLIC_KEYS, { region: own.region }, master),
      form: REGION_PUBLIC_KEYS,
      window: windowRuleOf(configuration),
      hours: PREFETCH_HOURS.region,
      identity: spiffeIdOf(own),
      missBudget: MISS_BUDGET,
    },
    context,
  );
}
