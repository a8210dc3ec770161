import type { CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import {
  denialsIn,
  mtlsKeySource,
  ownBanIn,
  PREFETCH_HOURS,
  SERVICE_KEYS,
  spiffeIdOf,
  wipeDenied,
  wipeWhenBanned,
  type Cancel,
  type Clock,
  type DenialOf,
  type EdgeIdentity,
} from '@sigv4-keyd/hop-protocol';
import { keepKeys, KeyUpkeep, type Logger, type OpenedParts, type TierAbove } from '@sigv4-keyd/service-skeleton';
import type { KService, KSigning } from '@sigv4-keyd/sigv4-core';
import type { EdgeFeed } from './feed/edge-feed.js';
import { createServiceKeys } from './key-source.js';
import { openEdgePublicKeys } from './public-keys.js';
import type { EdgeKeysSettings } from './settings.js';
import type { SignatureKeysOptions } from './signature-keys.js';
import { wantedServiceKeys } from './wanted-keys.js';

export interface HeldKeysContext {
  readonly own: EdgeIdentity;
  readonly credentials: CredentialsStore;
  readonly regions: TierAbove;
  readonly feed: EdgeFeed;
  readonly clock: Clock;
  /** A number from 0 up to 1. */
  readonly random: () => number;
  readonly log: Logger;
}

/** What an edge holds: its kService and public keys, in memory and on disk, without those that the feed denies. */
export interface HeldKeys {
  readonly sources: SignatureKeysOptions['sources'];
  readonly upkeep: KeyUpkeep<KService, KSigning>;
  /** Fetches ahead and lets days go until it is stopped. */
  start(): Cancel;
  warnings(): readonly string[];
  status(): object;
}

/**
 * Takes up what an earlier process kept; the feed must have been restored before.
 * @throws StartError
 */
export async function openHeldKeys(
  settings: EdgeKeysSettings,
  { own, credentials, regions, feed: edgeFeed, clock, random, log }: HeldKeysContext,
  parts: OpenedParts,
): Promise<HeldKeys> {
  const scope = { region: own.region, service: own.service };
  const feed = edgeFeed.follower;
  const isBanned = ownBanIn(feed, spiffeIdOf(own));
  const denialInScope = denialsIn(feed, scope, clock);
  const denialOf: DenialOf = (date, facts) => (isBanned() ? 'revoked' : denialInScope(date, facts));
  const parent = mtlsKeySource(SERVICE_KEYS, scope, regions.client);
  const serviceKeys = createServiceKeys(settings, { parent, clock, random, denialOf });
  wipeDenied(feed, serviceKeys, denialOf, log);
  wipeWhenBanned(feed, serviceKeys, isBanned, log);
  const common = { credentials, feed, clock, log };
  const kept = await keepKeys(settings, { ...common, hop: SERVICE_KEYS, held: serviceKeys.days });
  parts.add(() => kept.close());
  const judged = { ...common, denialOf, isBanned, random };
  const publicKeys = await openEdgePublicKeys(own, settings, regions.client, judged);
  parts.add(() => publicKeys.close());
  const upkeep = new KeyUpkeep({
    keys: serviceKeys,
    hours: PREFETCH_HOURS.edge,
    identity: spiffeIdOf(own),
    wanted: wantedServiceKeys(settings, { own, serviceKeys, region: regions.streams, clock, random }),
    silenceEndsAt: () => edgeFeed.silenceEndsAt(),
    clock,
    random,
    log,
  });
  return {
    sources: { 'AWS4-HMAC-SHA256': serviceKeys, 'AWS4-ECDSA-P256-SHA256': publicKeys.source },
    upkeep,
    start() {
      publicKeys.start();
      return upkeep.start();
    },
    warnings: () => [...kept.warnings(), ...upkeep.warnings(), ...publicKeys.warnings()],
    status: () => ({ publicKeys: publicKeys.status(), keyCache: kept.status() }),
  };
}
