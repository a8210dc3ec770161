import { mtlsKeySource, PREFETCH_HOURS, rungOf, spiffeIdOf, type EdgeIdentity } from '@sigv4-keyd/hop-protocol';
import { forgetKeptKeys, TendedKeys, type TendingContext, type TierAbove } from '@sigv4-keyd/service-skeleton';
import type { KService, KSigning } from '@sigv4-keyd/sigv4-core';
import { OF_PURPOSE, OF_SERVICE, type CarriedRung } from './carried-rung.js';
import { createHeldRung } from './key-source.js';
import type { EdgeKeysSettings } from './settings.js';
import { wantedKeys } from './wanted-keys.js';

export interface OpenServiceKeysContext extends TendingContext {
  readonly regions: TierAbove;
  /** When nothing is served any more unless news of the feed arrive, epoch milliseconds. */
  readonly silenceEndsAt: () => number;
}

/** What an edge verifies HMAC signatures with, on whichever rung it is given them. */
export type EdgeSigningKeys = TendedKeys<KService, KSigning> | TendedKeys<KSigning>;

/**
 * The keys that this edge verifies HMAC signatures with, asked of region-keyd once an access key and day: kService, or
 * kSigning where its certificate binds it to a purpose. What an earlier certificate was given on the other rung goes
 * from the disk.
 */
export async function openServiceKeys(
  own: EdgeIdentity,
  settings: EdgeKeysSettings,
  context: OpenServiceKeysContext,
): Promise<EdgeSigningKeys> {
  const isBound = rungOf(own) === OF_PURPOSE.rung;
  await forgetKeptKeys(settings, isBound ? OF_SERVICE.hop : OF_PURPOSE.hop);
  return isBound ? openRung(own, settings, OF_PURPOSE, context) : openRung(own, settings, OF_SERVICE, context);
}

function openRung<Carried>(
  own: EdgeIdentity,
  settings: EdgeKeysSettings,
  carried: CarriedRung<Carried>,
  { regions, silenceEndsAt, ...context }: OpenServiceKeysContext,
): Promise<TendedKeys<Carried, KSigning>> {
  const { clock, random, denials } = context;
  const { hop } = carried;
  const parent = mtlsKeySource(hop, { region: own.region, service: own.service }, regions.client);
  const keys = createHeldRung(settings, carried, { parent, clock, random, denialOf: denials.denialOf });
  const wanted = wantedKeys(settings, { own, hop, days: keys.days, region: regions.streams, clock, random });
  const tending = { keys, hop, hours: PREFETCH_HOURS.edge, identity: spiffeIdOf(own), wanted };
  return TendedKeys.open(settings, { ...tending, silenceEndsAt }, context);
}
