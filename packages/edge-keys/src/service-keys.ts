import { mtlsKeySource, PREFETCH_HOURS, SERVICE_KEYS, spiffeIdOf, type EdgeIdentity } from '@sigv4-keyd/hop-protocol';
import { TendedKeys, type TendingContext, type TierAbove } from '@sigv4-keyd/service-skeleton';
import type { KService, KSigning } from '@sigv4-keyd/sigv4-core';
import { createServiceKeys } from './key-source.js';
import type { EdgeKeysSettings } from './settings.js';
import { wantedServiceKeys } from './wanted-keys.js';

export interface OpenServiceKeysContext extends TendingContext {
  readonly regions: TierAbove;
  /** When nothing is served any more unless news of the feed arrive, epoch milliseconds. */
  readonly silenceEndsAt: () => number;
}

/** The kService that this edge verifies HMAC signatures with, asked of region-keyd once an access key and day. */
export function openServiceKeys(
  own: EdgeIdentity,
  settings: EdgeKeysSettings,
  { regions, silenceEndsAt, ...context }: OpenServiceKeysContext,
): Promise<TendedKeys<KService, KSigning>> {
  const { clock, random, denials } = context;
  const parent = mtlsKeySource(SERVICE_KEYS, { region: own.region, service: own.service }, regions.client);
  const keys = createServiceKeys(settings, { parent, clock, random, denialOf: denials.denialOf });
  const wanted = wantedServiceKeys(settings, { own, serviceKeys: keys, region: regions.streams, clock, random });
  const tending = { keys, hop: SERVICE_KEYS, hours: PREFETCH_HOURS.edge, identity: spiffeIdOf(own), wanted };
  return TendedKeys.open(settings, { ...tending, silenceEndsAt }, context);
}
