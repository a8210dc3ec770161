import { randomBytes } from 'node:crypto';
import {
  CachedKeySource,
  DATE_KEYS,
  HeldDays,
  mtlsKeySource,
  type Absence,
  type Clock,
  type DenialOf,
  type KeySource,
  type PeerClient,
} from '@sigv4-keyd/hop-protocol';
import type { KDate, ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Configuration } from './configuration.js';
import { heldDaysOf } from './policy.js';

/** What all regions together may ask for that does not exist. */
const MISS_BUDGET = { burst: 20_000, perSecond: 500 };

export interface DateKeysContext {
  readonly clock: Clock;
  readonly random: () => number;
  /** What is denied in every region, or of a day that is not granted: its kDate is not held. */
  readonly denialOf: DenialOf;
  readonly isGranted: (date: ScopeDate) => boolean;
}

/** kDate of granted days, held; what is missing is asked of a master while there is one. */
export function createDateKeys(
  configuration: Pick<Configuration, 'keyMemory' | 'longestPresigned' | 'clockSkew'>,
  master: PeerClient,
  { clock, random, denialOf, isGranted }: DateKeysContext,
): CachedKeySource<KDate> {
  const days = new HeldDays({
    hop: DATE_KEYS,
    ready: (key: KDate) => key,
    clock,
    window: heldDaysOf(configuration),
    memoryBytes: configuration.keyMemory,
    hashSeed: randomBytes(8),
    denialOf,
  });
  const parent = ofGrantedDays(mtlsKeySource(DATE_KEYS, {}, master), isGranted);
  return new CachedKeySource({ parent, days, clock, random, missBudget: MISS_BUDGET });
}

/**
 * Asks for granted days alone. An access key that is limited to regions has no kDate here, and its region knows better
 * than to take that for an answer: a master gives it the key of that region.
 */
function ofGrantedDays(parent: KeySource<KDate>, isGranted: (date: ScopeDate) => boolean): KeySource<KDate> {
  return {
    async issue(request, requestId) {
      if (!isGranted(request.date)) return { issued: new Map(), absent: allOf(request.accessKeyIds) };
      const { issued, absent } = await parent.issue(request, requestId);
      const limited = [...absent].filter(([, absence]) => absence === 'not-for-scope').map(([id]) => id);
      return { issued, absent: new Map([...absent, ...allOf(limited)]) };
    },
  };
}

function allOf(accessKeyIds: readonly string[]): ReadonlyMap<string, Absence> {
  return new Map(accessKeyIds.map((accessKeyId) => [accessKeyId, 'unavailable']));
}
