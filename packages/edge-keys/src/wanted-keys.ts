import {
  dayIntoHeld,
  mtlsDaySource,
  SERVICE_KEYS,
  WantedDays,
  type Clock,
  type EdgeIdentity,
  type PeerStreams,
  type WantedKeys,
} from '@sigv4-keyd/hop-protocol';
import { streamedSetsOf } from '@sigv4-keyd/service-skeleton';
import type { EdgeKeysSettings } from './settings.js';
import type { ServiceKeys } from './key-source.js';

export interface WantedKeysOptions {
  readonly own: EdgeIdentity;
  readonly serviceKeys: ServiceKeys;
  readonly region: PeerStreams;
  readonly clock: Clock;
  readonly random: () => number;
}

/** The keys that this edge holds although nobody has used them, streamed from its region. */
export function wantedServiceKeys(
  { prefetch }: Pick<EdgeKeysSettings, 'prefetch'>,
  { own, serviceKeys, region, clock, random }: WantedKeysOptions,
): WantedKeys {
  const source = mtlsDaySource(SERVICE_KEYS, { region: own.region, service: own.service }, region);
  return new WantedDays({
    sets: streamedSetsOf(prefetch),
    begin: (date, which) => dayIntoHeld(serviceKeys.days, source, { date, which }),
    clock,
    random,
  });
}
