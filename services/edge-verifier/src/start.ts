import { createMtlsAgent } from '@sigv4-keyd/fastify-mtls';
import {
  denialsIn,
  hasRole,
  identityOf,
  mtlsKeySource,
  ownBanIn,
  PREFETCH_HOURS,
  SERVICE_KEYS,
  spiffeIdOf,
  wipeDenied,
  wipeWhenBanned,
  type DenialOf,
  type EdgeIdentity,
} from '@sigv4-keyd/hop-protocol';
import {
  createHealthApp,
  doubtsAbout,
  keepKeys,
  KeyUpkeep,
  LedgerWatch,
  listen,
  openOwnCredentials,
  TierAbove,
  UpwardReports,
  type RunningService,
  type ServiceContext,
} from '@sigv4-keyd/service-skeleton';
import { AcceptanceCounts } from './acceptances/acceptance-counts.js';
import { AcceptanceRollups } from './acceptances/acceptance-rollups.js';
import type { Configuration } from './configuration.js';
import { createEdge } from './edge.js';
import { EdgeFeed } from './feed/edge-feed.js';
import { feedGuard } from './feed/feed-guard.js';
import { startFronts } from './fronts.js';
import { createServiceKeys } from './key-source.js';
import { LIFETIMES } from './lifetimes.js';
import { openEdgePublicKeys } from './public-keys.js';
import { wantedServiceKeys } from './wanted-keys.js';

const CHECKPOINT_EVERY_MS = 30_000;
const DEBUG_WARNING =
  'KEYD_DEBUG_SIGNATURES is on: refusals show signed headers to whoever asks. Switch it off outside development.';

/** Starts edge-verifier, with its region out of reach, too: it is not ready then, but verifies with what it holds. */
export async function startEdgeVerifier(
  configuration: Configuration,
  { clock, log, random = Math.random, timer }: ServiceContext,
): Promise<RunningService> {
  const { store, identity: own, stop } = await openOwnCredentials(configuration, 'edge', { clock, log });
  const regions = new TierAbove(configuration.regions, {
    credentials: store,
    acceptsServer: (id) => isOwnRegion(own, identityOf(id)),
    clock,
    log,
    random,
    timer,
  });
  const region = regions.client;
  const scope = { region: own.region, service: own.service };
  const parent = mtlsKeySource(SERVICE_KEYS, scope, region);
  const feedAgent = createMtlsAgent({
    credentials: store,
    acceptsServer: (id) => id.trustDomain === own.trustDomain && identityOf(id)?.role === 'region',
  });
  const feed = await EdgeFeed.open(configuration, { ownRegion: regions, anyRegion: feedAgent, clock, log, random });
  const isBanned = ownBanIn(feed.follower, spiffeIdOf(own));
  const denialInScope = denialsIn(feed.follower, scope, clock);
  const denialOf: DenialOf = (date, facts) => (isBanned() ? 'revoked' : denialInScope(date, facts));
  const serviceKeys = createServiceKeys(configuration, { parent, clock, random, denialOf });
  wipeDenied(feed.follower, serviceKeys, denialOf, log);
  wipeWhenBanned(feed.follower, serviceKeys, isBanned, log);
  const common = { credentials: store, feed: feed.follower, clock, log };
  const kept = await keepKeys(configuration, { ...common, hop: SERVICE_KEYS, held: serviceKeys.days });
  const publicKeys = await openEdgePublicKeys(own, configuration, region, { ...common, denialOf, isBanned, random });
  const guard = feedGuard(feed.follower, own, { horizons: feed.horizons, clock });
  const upkeep = new KeyUpkeep({
    keys: serviceKeys,
    hours: PREFETCH_HOURS.edge,
    identity: spiffeIdOf(own),
    wanted: wantedServiceKeys(configuration, { own, serviceKeys, region: regions.streams, clock, random }),
    silenceEndsAt: () => feed.silenceEndsAt(),
    clock,
    random,
    log,
  });
  const reports = new UpwardReports({ parents: regions, clock, log, credentials: store, upkeep });

  const counts = new AcceptanceCounts();
  const rollups = await AcceptanceRollups.open({ counts, stateFolder: configuration.stateFolder, region, clock, log });

  const ledger = await LedgerWatch.open(configuration, { parent: region, clock, log, everyMs: CHECKPOINT_EVERY_MS });

  const sources = { 'AWS4-HMAC-SHA256': serviceKeys, 'AWS4-ECDSA-P256-SHA256': publicKeys.source };
  const edge = createEdge(own, configuration, sources, { clock, log, counts, guard });
  const fronts = await startFronts(edge, configuration);
  const doubts = doubtsAbout(configuration, LIFETIMES);
  const lasting = configuration.debugSignatures ? [DEBUG_WARNING, ...doubts] : doubts;
  for (const warning of lasting) log.warn(warning);
  const health = createHealthApp({
    notReady: () => [...notReady(upkeep, reports), ...feed.notReady()],
    warnings: () => [
      ...feed.warnings(),
      ...ledger.warnings(),
      ...kept.warnings(),
      ...upkeep.warnings(),
      ...publicKeys.warnings(),
      ...lasting,
    ],
    status: () => ({
      identity: store.current.spiffeId,
      regionReachable: reports.isParentReachable,
      publicKeys: publicKeys.status(),
      feed: feed.status(),
      keyCache: kept.status(),
      rollups: rollups.status(),
      ledger: ledger.status(),
      ...reports.ownReport(),
    }),
  });
  const addresses = {
    ...fronts.addresses,
    health: await listen(health, configuration.healthListen, 'KEYD_HEALTH_LISTEN'),
  };
  const stopKeeping = upkeep.start();
  publicKeys.start();
  feed.start();
  const stopReporting = reports.start();
  const stopRollingUp = rollups.start();
  const stopWatchingLedger = ledger.start();
  return {
    addresses,
    async reload() {
      await store.reload();
      await fronts.reload();
    },
    async close() {
      stop();
      stopKeeping();
      stopReporting();
      stopWatchingLedger();
      await Promise.all([fronts.close(), health.close()]);
      // After the fronts: what they accepted last is sealed, too.
      await stopRollingUp();
      await kept.close();
      await publicKeys.close();
      await feed.close();
      await feedAgent.close();
      await regions.close();
    },
  };
}

/** Keys are taken from region-keyd of our own region only: any other would answer keys that verify nothing here. */
function isOwnRegion(own: EdgeIdentity, server: ReturnType<typeof identityOf>): boolean {
  return (
    server !== undefined &&
    hasRole(server, 'region') &&
    server.trustDomain === own.trustDomain &&
    server.region === own.region
  );
}

/** An edge can work when it holds today's keys or can ask for them. An expired certificate alone does not stop it. */
function notReady({ holdsToday }: { readonly holdsToday: boolean }, region: UpwardReports): readonly string[] {
  return holdsToday || region.isParentReachable ? [] : ['no key of today is held and region-keyd cannot be reached'];
}
