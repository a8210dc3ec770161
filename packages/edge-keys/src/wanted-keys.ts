import {
  dayIntoHeld,
  mtlsDaySource,
  WantedDays,
  type Clock,
  type EdgeIdentity,
  type HeldDays,
  type Hop,
  type PeerStreams,
  type WantedKeys,
} from '@sigv4-keyd/hop-protocol';
import { streamedSetsOf } from '@sigv4-keyd/service-skeleton';
import type { EdgeKeysSettings } from './settings.js';
import type { KSigning } from '@sigv4-keyd/sigv4-core';

export interface WantedKeysOptions<Carried> {
  readonly own: EdgeIdentity;
  readonly hop: Hop<Carried>;
  readonly days: HeldDays<Carried, KSigning>;
  readonly region: PeerStreams;
  readonly clock: Clock;
  readonly random: () => number;
}

/** The keys that this edge holds although nobody has used them, streamed from its region. */
export function wantedKeys<Carried>(
  { prefetch }: Pick<EdgeKeysSettings, 'prefetch'>,
  { own, hop, days, region, clock, random }: WantedKeysOptions<Carried>,
): WantedKeys {
  const source = mtlsDaySource(hop, { region: own.region, service: own.service }, region);
  return new WantedDays({
    sets: streamedSetsOf(prefetch),
    begin: (date, which) => dayIntoHeld(days, source, { date, which }),
    clock,
    random,
  });
}
