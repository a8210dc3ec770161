import {
  CachedKeySource,
  HeldDays,
  memoryFor,
  REGION_KEYS,
  type Clock,
  type RegionKeySource,
} from '@sigv4-keyd/hop-protocol';
import type { KRegion } from '@sigv4-keyd/sigv4-core';

const WINDOW = { longestPresignedSeconds: 0, clockSkewSeconds: 900 };
const MOST_KEYS_A_DAY = 20_000;

/** What region-keyd holds its kRegion in, with the limits that it has there, above it any master. */
export function newRegionKeys(
  parent: RegionKeySource,
  { clock, random }: { readonly clock: Clock; readonly random: () => number },
): CachedKeySource<KRegion> {
  const days = new HeldDays({
    hop: REGION_KEYS,
    ready: (key: KRegion) => key,
    clock,
    window: WINDOW,
    memoryBytes: memoryFor(MOST_KEYS_A_DAY, { window: WINDOW, keyBytes: REGION_KEYS.keyBytes }),
    hashSeed: new Uint8Array(8),
    denialOf: () => undefined,
  });
  const missBudget = { burst: 20_000, perSecond: 500 };
  return new CachedKeySource({ parent, days, clock, random, absentForMs: 5_000, missBudget });
}
