import {
  CachedKeySource,
  mtlsKeySource,
  REGION_KEYS,
  type Clock,
  type PeerClient,
  type RegionIdentity,
} from '@sigv4-keyd/hop-protocol';
import type { KRegion } from '@sigv4-keyd/sigv4-core';
import type { Configuration } from './configuration.js';

/** Absent access keys are asked for again after this long, so that a new one works within seconds. */
const ABSENT_FOR_MS = 5_000;
/** What all edges of the region together may ask for that does not exist. */
const MISS_BUDGET = { burst: 20_000, perSecond: 500 };

/** This region's kRegion, asked of master-keyd once an access key and day. */
export function createRegionKeys(
  own: RegionIdentity,
  configuration: Configuration,
  master: PeerClient,
  { clock, random }: { readonly clock: Clock; readonly random: () => number },
): CachedKeySource<KRegion> {
  return new CachedKeySource({
    parent: mtlsKeySource(REGION_KEYS, { region: own.region }, master),
    clock,
    random,
    window: windowOf(configuration),
    mostKeysADay: configuration.mostKeysADay,
    absentForMs: ABSENT_FOR_MS,
    missBudget: MISS_BUDGET,
  });
}

function windowOf({ longestPresigned, clockSkew }: Configuration): {
  readonly longestPresignedSeconds: number;
  readonly clockSkewSeconds: number;
} {
  return { longestPresignedSeconds: longestPresigned, clockSkewSeconds: clockSkew };
}
