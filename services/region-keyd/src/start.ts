import {
  denialsIn,
  identityOf,
  ownBanIn,
  PREFETCH_HOURS,
  REGION_KEYS,
  spiffeIdOf,
  wipeDenied,
  wipeWhenBanned,
  type DenialOf,
} from '@sigv4-keyd/hop-protocol';
import {
  accountsInMemory,
  createHealthApp,
  doubtsAbout,
  keepKeys,
  KeyUpkeep,
  listen,
  openOwnCredentials,
  PeerBudget,
  TierAbove,
  UpwardReports,
  type RunningService,
  type ServiceContext,
} from '@sigv4-keyd/service-skeleton';
import { AcceptanceRelay } from './acceptances/relay.js';
import { createRegionApp } from './app.js';
import type { Configuration } from './configuration.js';
import { RegionDays } from './days/region-days.js';
import { EdgeRoster } from './edge-roster.js';
import { feedStatus, openRegionFeed, seenFeed, watchFreshness } from './feed/region-feed.js';
import { CheckpointRelay } from './journal/checkpoint-relay.js';
import type { IssuanceJournalOptions } from './journal/issuance-journal.js';
import { RegionLedger } from './journal/region-ledger.js';
import { createRegionKeys } from './key-source.js';
import { LIFETIMES } from './lifetimes.js';
import { openRegionPublicKeys } from './public-keys.js';

/** `makeDurable`: how the journal reaches the disk; absent: fdatasync. */
export type RegionContext = ServiceContext & Pick<IssuanceJournalOptions, 'makeDurable'>;

/** More than the days of the window: those that wait for the master must not hold up what is held. */
const MOST_OF_AN_EDGE_AT_A_TIME = 16;

/** Starts region-keyd. It starts with the master out of reach, too: it is not ready then, but answers what it holds. */
export async function startRegionKeyd(
  configuration: Configuration,
  { clock, log, random = Math.random, timer, makeDurable }: RegionContext,
): Promise<RunningService> {
  const credentials = await openOwnCredentials(configuration, 'region', { clock, log });
  const { store, identity } = credentials;
  const masters = new TierAbove(configuration.masters, {
    credentials: store,
    acceptsServer: (id) => id.trustDomain === identity.trustDomain && identityOf(id)?.role === 'master',
    clock,
    log,
    random,
    timer,
  });
  const master = masters.client;
  const feedContext = { masters, clock, log, random };
  const feed = await openRegionFeed(configuration, feedContext);
  const freshness = watchFreshness(feed, feedContext);
  const isBanned = ownBanIn(feed, spiffeIdOf(identity));
  const denialInScope = denialsIn(feed, { region: identity.region }, clock);
  const denialOf: DenialOf = (date, facts) => (isBanned() ? 'revoked' : denialInScope(date, facts));
  const regionKeys = createRegionKeys(identity, configuration, master, { clock, random, denialOf });
  wipeDenied(feed, regionKeys, denialOf, log);
  wipeWhenBanned(feed, regionKeys, isBanned, log);
  const common = { credentials: store, feed, clock, log };
  const kept = await keepKeys(configuration, { ...common, hop: REGION_KEYS, held: regionKeys.days });
  const publicKeysContext = { ...common, denialOf, isBanned, random };
  const publicKeys = await openRegionPublicKeys(identity, configuration, master, publicKeysContext);
  const roster = new EdgeRoster();
  const ledger = await RegionLedger.open(configuration, {
    master,
    clock,
    log,
    random,
    ...(makeDurable && { makeDurable }),
  });
  const regionDays = new RegionDays(configuration, {
    own: identity,
    regionKeys,
    master: masters.streams,
    clock,
    random,
  });
  const upkeep = new KeyUpkeep({
    keys: regionKeys,
    wanted: regionDays,
    hours: PREFETCH_HOURS.region,
    identity: spiffeIdOf(identity),
    clock,
    random,
    log,
  });
  const reports = new UpwardReports({
    parents: masters,
    clock,
    log,
    credentials: store,
    upkeep,
    more: () => ({ edges: roster.list(), ...seenFeed(feed), ...ledger.seen() }),
  });

  const whyNotReady = (): readonly string[] => [...notReady(upkeep, reports), ...ledger.notReady()];
  const { stateFolder, clockSkew: clockSkewSeconds } = configuration;
  const acceptances = await AcceptanceRelay.open({ stateFolder, master, clock, log });
  const budget = new PeerBudget({
    accounts: accountsInMemory(),
    limits: configuration,
    mostAtATime: MOST_OF_AN_EDGE_AT_A_TIME,
    clock,
    log,
  });
  const app = await createRegionApp({
    own: identity,
    credentials: store,
    regionKeys,
    regionDays,
    publicKeys: publicKeys.source,
    roster,
    feed,
    ledger,
    budget,
    checkpoints: new CheckpointRelay({ master, clock }),
    acceptances,
    notReady: whyNotReady,
    clockSkewSeconds,
    clock,
    log,
  });
  const doubts = doubtsAbout(configuration, LIFETIMES);
  for (const doubt of doubts) log.warn(doubt);
  const health = createHealthApp({
    notReady: whyNotReady,
    warnings: () => [
      ...credentials.warnings(),
      ...freshness.warnings(),
      ...ledger.warnings(),
      ...kept.warnings(),
      ...upkeep.warnings(),
      ...roster.warnings(upkeep.window),
      ...publicKeys.warnings(),
      ...budget.warnings(),
      ...doubts,
    ],
    status: () => ({
      identity: store.current.spiffeId,
      ...reports.ownReport(),
      edges: roster.list(),
      publicKeys: publicKeys.status(),
      feed: feedStatus(feed, freshness),
      keyCache: kept.status(),
      rollups: acceptances.status(),
      ...ledger.status(),
    }),
  });
  const addresses = {
    hop: await listen(app, configuration.listen, 'KEYD_LISTEN'),
    health: await listen(health, configuration.healthListen, 'KEYD_HEALTH_LISTEN'),
  };
  const stopKeeping = upkeep.start();
  publicKeys.start();
  const stopWatching = freshness.start();
  feed.start();
  ledger.start();
  const stopReporting = reports.start();
  const stopRelaying = acceptances.start();
  return {
    addresses,
    reload: () => store.reload(),
    async close() {
      credentials.stop();
      stopKeeping();
      stopReporting();
      stopWatching();
      await Promise.all([app.close(), health.close()]);
      await kept.close();
      await publicKeys.close();
      await feed.close();
      await ledger.close();
      await stopRelaying();
      await masters.close();
    },
  };
}

/** A region can work when it holds today's keys or can ask for them. */
function notReady({ holdsToday }: { readonly holdsToday: boolean }, master: UpwardReports): readonly string[] {
  return holdsToday || master.isParentReachable ? [] : ['no key of today is held and master-keyd cannot be reached'];
}
