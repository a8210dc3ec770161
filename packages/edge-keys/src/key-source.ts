import { randomBytes } from 'node:crypto';
import { CachedKeySource, HeldDays, type Clock, type DenialOf, type KeySource } from '@sigv4-keyd/hop-protocol';
import type { KService, KSigning } from '@sigv4-keyd/sigv4-core';
import { OF_SERVICE, type CarriedRung } from './carried-rung.js';
import type { EdgeKeysSettings } from './settings.js';
import { windowRuleOf } from './window.js';

/** What the clients of one edge together may ask for that does not exist. */
export const MISS_BUDGET = { burst: 1_000, perSecond: 50 };

export interface HeldRungOptions<Carried> {
  readonly parent: KeySource<Carried>;
  readonly clock: Clock;
  readonly random: () => number;
  /** What is denied is not held. */
  readonly denialOf: DenialOf;
}

type HeldRungSettings = Pick<EdgeKeysSettings, 'presigned' | 'longestPresigned' | 'clockSkew' | 'keyMemory'>;

/** This edge's keys on the rung that it is given, held; what is used of each is kSigning. */
export type HeldRung<Carried> = CachedKeySource<Carried, KSigning>;
export type ServiceKeys = HeldRung<KService>;

/** This edge's keys on one rung, asked of region-keyd once an access key and day. */
export function createHeldRung<Carried>(
  settings: HeldRungSettings,
  { hop, signing }: CarriedRung<Carried>,
  { parent, clock, random, denialOf }: HeldRungOptions<Carried>,
): HeldRung<Carried> {
  const days = new HeldDays({
    hop,
    ready: signing,
    clock,
    window: windowRuleOf(settings),
    memoryBytes: settings.keyMemory,
    hashSeed: randomBytes(8),
    denialOf,
  });
  return new CachedKeySource({ parent, days, clock, random, missBudget: MISS_BUDGET });
}

/** The same of kService. */
export function createServiceKeys(settings: HeldRungSettings, options: HeldRungOptions<KService>): ServiceKeys {
  return createHeldRung(settings, OF_SERVICE, options);
}
