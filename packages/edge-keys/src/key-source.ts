import { randomBytes } from 'node:crypto';
import { CachedKeySource, HeldDays, SERVICE_KEYS } from '@sigv4-keyd/hop-protocol';
import type { Clock, DenialOf, ServiceKeySource } from '@sigv4-keyd/hop-protocol';
import { kSigning, type KService, type KSigning } from '@sigv4-keyd/sigv4-core';
import type { EdgeKeysSettings } from './settings.js';
import { windowRuleOf } from './window.js';

/** What the clients of one edge together may ask for that does not exist. */
export const MISS_BUDGET = { burst: 1_000, perSecond: 50 };

export interface ServiceKeysOptions {
  readonly parent: ServiceKeySource;
  readonly clock: Clock;
  readonly random: () => number;
  /** What is denied is not held. */
  readonly denialOf: DenialOf;
}

/** This edge's kService, held; what is used of each is the kSigning that is derived from it. */
export type ServiceKeys = CachedKeySource<KService, KSigning>;

/** This edge's kService, asked of region-keyd once an access key and day. */
export function createServiceKeys(
  settings: Pick<EdgeKeysSettings, 'presigned' | 'longestPresigned' | 'clockSkew' | 'keyMemory'>,
  { parent, clock, random, denialOf }: ServiceKeysOptions,
): ServiceKeys {
  const days = new HeldDays({
    hop: SERVICE_KEYS,
    ready: (key: KService) => kSigning(key),
    clock,
    window: windowRuleOf(settings),
    memoryBytes: settings.keyMemory,
    hashSeed: randomBytes(8),
    denialOf,
  });
  return new CachedKeySource({ parent, days, clock, random, missBudget: MISS_BUDGET });
}
