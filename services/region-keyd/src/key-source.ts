import { randomBytes } from 'node:crypto';
import {
  CachedKeySource,
  HeldDays,
  REGION_KEYS,
  type Clock,
  type DenialOf,
  type RegionKeySource,
} from '@sigv4-keyd/hop-protocol';
import type { KRegion } from '@sigv4-keyd/sigv4-core';
import type { Configuration } from './configuration.js';
import { windowRuleOf } from './policy.js';

/** What all edges of the region together may ask for that does not exist. */
export const MISS_BUDGET = { burst: 20_000, perSecond: 500 };

export interface RegionKeysContext {
  readonly clock: Clock;
  readonly random: () => number;
  /** What is denied to the whole region: its kRegion is not held. */
  readonly denialOf: DenialOf;
}

/** This region's kRegion, asked of `parent` once an access key and day. */
export function createRegionKeys(
  configuration: Pick<Configuration, 'keyMemory' | 'longestPresigned' | 'clockSkew'>,
  parent: RegionKeySource,
  { clock, random, denialOf }: RegionKeysContext,
): CachedKeySource<KRegion> {
  const days = new HeldDays({
    hop: REGION_KEYS,
    ready: (key: KRegion) => key,
    clock,
    window: windowRuleOf(configuration),
    memoryBytes: configuration.keyMemory,
    hashSeed: randomBytes(8),
    denialOf,
  });
  return new CachedKeySource({ parent, days, clock, random, missBudget: MISS_BUDGET });
}
