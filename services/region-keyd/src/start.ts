import { mtlsKeySource, ownDenialsIn, PREFETCH_HOURS, REGION_KEYS, spiffeIdOf } from '@sigv4-keyd/hop-protocol';
import {
  accountsInMemory,
  aboveReadings,
  budgetReadings,
  certificateReadings,
  feedReadings,
  HopMeter,
  keyReadings,
  feedStatus,
  IssuerLedger,
  listen,
  Metrics,
  openBelowMasters,
  openRelayedFeed,
  openWhole,
  ownReadings,
  PeerBudget,
  serveWatchers,
  seenFeed,
  TendedKeys,
  toldDoubts,
  UpwardReports,
  type IssuerLedgerContext,
  type OpenedParts,
  type Readings,
  type RunningService,
  type ServiceContext,
} from '@sigv4-keyd/service-skeleton';
import { AcceptanceRelay } from './acceptances/relay.js';
import { createRegionApp } from './app.js';
import type { Configuration } from './configuration.js';
import { RegionDays } from './days/region-days.js';
import { Deputies } from './deputies/deputies.js';
import { mastersFirst } from './deputies/masters-first.js';
import { EdgeRoster } from './edge-roster.js';
import { CheckpointRelay } from './journal/checkpoint-relay.js';
import { createRegionKeys } from './key-source.js';
import { LIFETIMES } from './lifetimes.js';
import { openRegionPublicKeys } from './public-keys.js';

/** `makeDurable`: how the journal reaches the disk; absent: fdatasync. */
export type RegionContext = ServiceContext & Pick<IssuerLedgerContext, 'makeDurable'>;

/** More than the days of the window: those that wait for the master must not hold up what is held. */
const MOST_OF_AN_EDGE_AT_A_TIME = 16;

/** Edges report every few seconds: one that is silent for longer is not there. */
const EDGES_HEARD_WITHIN_MS = 60_000;

/** Starts region-keyd. It starts with the master out of reach, too: it is not ready then, but answers what it holds. */
export function startRegionKeyd(configuration: Configuration, context: RegionContext): Promise<RunningService> {
  return openWhole((parts) => start(configuration, context, parts));
}

async function start(
  configuration: Configuration,
  context: RegionContext,
  parts: OpenedParts,
): Promise<RunningService> {
  const { clock, log, random = Math.random, timer, makeDurable, watchProcess } = context;
  const { credentials, masters, tracer } = await openBelowMasters('region', configuration, context, parts);
  const { store, identity } = credentials;
  const master = masters.client;
  const deputies = new Deputies(configuration.deputies ?? [], {
    own: identity,
    credentials: store,
    clock,
    log,
    random,
    timer,
    tracer,
  });
  parts.add(() => deputies.close());
  const following = { sources: [...masters.feedSources, ...deputies.feedSources], clock, log, random };
  const { feed, freshness } = await openRelayedFeed(configuration, following, parts);
  deputies.obey(feed);
  const denials = ownDenialsIn(feed, spiffeIdOf(identity), { region: identity.region }, clock);
  const tending = { credentials: store, feed, denials, clock, random, log };
  const { denialOf } = denials;
  const parent = mastersFirst({
    masters: mtlsKeySource(REGION_KEYS, { region: identity.region }, master),
    deputies: deputies.keys,
    isMasterWell: () => masters.isWell,
  });
  const regionKeys = createRegionKeys(configuration, parent, { clock, random, denialOf });
  const regionDays = new RegionDays(configuration, {
    own: identity,
    regionKeys,
    master: masters.streams,
    clock,
    random,
  });
  const keys = await TendedKeys.open(
    configuration,
    {
      keys: regionKeys,
      hop: REGION_KEYS,
      hours: PREFETCH_HOURS.region,
      identity: spiffeIdOf(identity),
      wanted: regionDays,
    },
    tending,
  );
  parts.add(() => keys.close());
  const publicKeys = await openRegionPublicKeys(identity, configuration, master, tending);
  parts.add(() => publicKeys.close());
  const roster = new EdgeRoster();
  const ledger = await IssuerLedger.open(configuration, {
    master,
    clock,
    log,
    random,
    ...(makeDurable && { makeDurable }),
  });
  parts.add(() => ledger.close());
  const { upkeep } = keys;
  const reports = new UpwardReports({
    parents: { client: master, status: () => [...masters.status(), ...deputies.status()] },
    clock,
    log,
    credentials: store,
    upkeep,
    more: () => ({ edges: roster.list(), ...seenFeed(feed), ...ledger.seen() }),
  });

  const whyNotReady = (): readonly string[] => [
    ...(deputies.isReachable ? [] : notReady(upkeep, reports)),
    ...ledger.notReady(),
  ];
  const { stateFolder, clockSkew: clockSkewSeconds } = configuration;
  const acceptances = await AcceptanceRelay.open({ stateFolder, master, clock, log });
  const budget = new PeerBudget({
    accounts: accountsInMemory(),
    limits: configuration,
    mostAtATime: MOST_OF_AN_EDGE_AT_A_TIME,
    clock,
    log,
  });
  // Stopped after the app: what edges bring until then is relayed or kept.
  keys.start();
  publicKeys.start();
  parts.add(freshness.start());
  feed.start();
  ledger.start();
  parts.add(reports.start());
  parts.add(acceptances.start());
  const metrics = new Metrics('region-keyd');
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
    meter: new HopMeter(metrics),
    tracer,
    clockSkewSeconds,
    clock,
    log,
  });
  parts.add(() => app.close());
  const doubts = toldDoubts(configuration, LIFETIMES, log);
  const warnings = (): readonly string[] => [
    ...credentials.warnings(),
    ...freshness.warnings(),
    ...ledger.warnings(),
    ...keys.warnings(),
    ...roster.warnings(upkeep.window),
    ...publicKeys.warnings(),
    ...budget.warnings(),
    ...acceptances.warnings(),
    ...doubts,
  ];
  const status = (): object => ({
    identity: store.current.spiffeId,
    ...reports.ownReport(),
    edges: roster.list(),
    publicKeys: publicKeys.status(),
    feed: feedStatus(feed, freshness),
    keyCache: keys.status().keyCache,
    rollups: acceptances.status(),
    ...ledger.status(),
  });
  const readings = (): Readings<'region-keyd'> => ({
    ...ownReadings({ service: 'region-keyd', notReady: whyNotReady, warnings }),
    ...certificateReadings(store, clock),
    ...feedReadings(feed, freshness.freshness, clock),
    ...keyReadings({ upkeep, publicKeys }, clock),
    ...aboveReadings({ parents: masters, reports, ledger: ledger.watch }, clock),
    ...ledger.readings(),
    ...budgetReadings(budget),
    keyd_rollup_waiting_bytes: acceptances.status().bytesWaiting,
    keyd_rollup_edges_over_share: acceptances.overShare.length,
    keyd_edges_heard: roster.heardSince(clock.now() - EDGES_HEARD_WITHIN_MS),
  });
  const addresses = {
    hop: await listen(app, configuration.listen, 'KEYD_LISTEN'),
    ...(await serveWatchers(
      configuration,
      { notReady: whyNotReady, warnings, status, metrics, readings, watchProcess },
      parts,
    )),
  };
  return {
    addresses,
    reload: () => store.reload(),
    close: () => parts.close(),
  };
}

/** A region can work when it holds today's keys or can ask for them. */
function notReady({ holdsToday }: { readonly holdsToday: boolean }, master: UpwardReports): readonly string[] {
  return holdsToday || master.isParentReachable ? [] : ['no key of today is held and master-keyd cannot be reached'];
}
