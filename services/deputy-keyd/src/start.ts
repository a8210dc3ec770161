import {
  DATE_KEYS,
  mtlsDaySource,
  ownDenialsIn,
  PREFETCH_HOURS,
  spiffeIdOf,
  type DenialOf,
} from '@sigv4-keyd/hop-protocol';
import {
  aboveReadings,
  accountsInMemory,
  budgetReadings,
  certificateReadings,
  feedReadings,
  feedStatus,
  HopMeter,
  IssuerLedger,
  keyReadings,
  listen,
  Metrics,
  openBelowMasters,
  openRelayedFeed,
  openWhole,
  ownReadings,
  PeerBudget,
  seenFeed,
  serveWatchers,
  TendedKeys,
  toldDoubts,
  UpwardReports,
  type IssuerLedgerContext,
  type OpenedParts,
  type Readings,
  type RunningService,
  type ServiceContext,
} from '@sigv4-keyd/service-skeleton';
import { createDeputyApp } from './app.js';
import type { Configuration } from './configuration.js';
import { grantReadings } from './grants/grant-readings.js';
import { GrantedDays } from './grants/granted-days.js';
import { OwnGrants } from './grants/own-grants.js';
import { createDateKeys } from './key-source.js';
import { LIFETIMES } from './lifetimes.js';
import { servedDaysOf, type ServingRule } from './policy.js';

/** `makeDurable`: how the journal reaches the disk; absent: fdatasync. */
export type DeputyContext = ServiceContext & Pick<IssuerLedgerContext, 'makeDurable'>;

/** More than the days of the window. */
const MOST_OF_A_REGION_AT_A_TIME = 16;

/** Starts deputy-keyd. It starts with no master in reach, too: that is when it is needed. */
export function startDeputyKeyd(configuration: Configuration, context: DeputyContext): Promise<RunningService> {
  return openWhole((parts) => start(configuration, context, parts));
}

async function start(
  configuration: Configuration,
  context: DeputyContext,
  parts: OpenedParts,
): Promise<RunningService> {
  const { clock, log, random = Math.random, makeDurable, watchProcess } = context;
  const { credentials, masters, tracer } = await openBelowMasters('deputy', configuration, context, parts);
  const { store, identity } = credentials;
  const master = masters.client;
  const following = { sources: masters.feedSources, clock, log, random };
  const { feed, freshness } = await openRelayedFeed(configuration, following, parts);
  const { stateFolder } = configuration;
  const grants = await OwnGrants.open({ stateFolder, master, log });
  const isGranted: ServingRule['isGranted'] = (date) => grants.covers(date);
  const own = ownDenialsIn(feed, spiffeIdOf(identity), {}, clock);
  const denialOf: DenialOf = (date, facts) => (isGranted(date) ? own.denialOf(date, facts) : 'not-for-scope');
  const denials = { isBanned: own.isBanned, denialOf };
  const dateKeys = createDateKeys(configuration, master, { clock, random, denialOf, isGranted });
  const keys = await TendedKeys.open(
    configuration,
    { keys: dateKeys, hop: DATE_KEYS, hours: PREFETCH_HOURS.region, identity: spiffeIdOf(identity) },
    { credentials: store, feed, denials, clock, random, log },
  );
  parts.add(() => keys.close());
  const source = mtlsDaySource(DATE_KEYS, {}, masters.streams);
  const sets = configuration.accessKeys === 'all' ? (['pinned', 'all'] as const) : (['pinned'] as const);
  const grantedDays = new GrantedDays({ grants, dateKeys, source, sets, denialOf, clock, log });
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
    parents: masters,
    clock,
    log,
    credentials: store,
    upkeep,
    more: () => ({ ...seenFeed(feed), ...ledger.seen() }),
  });
  const notReady = (): readonly string[] => [
    ...(own.isBanned() ? ['this deputy is banned'] : []),
    ...(upkeep.holdsToday ? [] : ['no key of today is held: today is not granted, or was not fetched yet']),
    ...ledger.notReady(),
  ];
  const budget = new PeerBudget({
    accounts: accountsInMemory(),
    limits: configuration,
    mostAtATime: MOST_OF_A_REGION_AT_A_TIME,
    clock,
    log,
  });
  keys.start();
  parts.add(grantedDays.start());
  parts.add(freshness.start());
  feed.start();
  ledger.start();
  parts.add(reports.start());
  const metrics = new Metrics('deputy-keyd');
  const app = await createDeputyApp({
    own: identity,
    credentials: store,
    dateKeys,
    rule: { window: servedDaysOf(configuration), isGranted, isBanned: own.isBanned, now: () => clock.now() },
    feed,
    ledger,
    budget,
    notReady,
    meter: new HopMeter(metrics),
    tracer,
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
    ...grantedDays.warnings(),
    ...budget.warnings(),
    ...doubts,
  ];
  const status = (): object => ({
    identity: store.current.spiffeId,
    ...reports.ownReport(),
    grants: grants.grants,
    feed: feedStatus(feed, freshness),
    keyCache: keys.status().keyCache,
    ...ledger.status(),
  });
  const readings = (): Readings<'deputy-keyd'> => ({
    ...ownReadings({ service: 'deputy-keyd', notReady, warnings }),
    ...certificateReadings(store, clock),
    ...feedReadings(feed, freshness.freshness, clock),
    ...keyReadings({ upkeep }, clock),
    ...aboveReadings({ parents: masters, reports, ledger: ledger.watch }, clock),
    ...ledger.readings(),
    ...grantReadings(grants, clock),
    ...budgetReadings(budget),
  });
  const addresses = {
    hop: await listen(app, configuration.listen, 'KEYD_LISTEN'),
    ...(await serveWatchers(configuration, { notReady, warnings, status, metrics, readings, watchProcess }, parts)),
  };
  return { addresses, reload: () => store.reload(), close: () => parts.close() };
}
