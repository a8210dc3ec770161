import { randomBytes } from 'node:crypto';
import { every, systemClock } from '@sigv4-keyd/hop-protocol';
import {
  budgetReadings,
  certificateReadings,
  HopMeter,
  listen,
  Metrics,
  openOwnCredentials,
  openTraces,
  openWhole,
  ownReadings,
  PeerBudget,
  serveWatchers,
  toldDoubts,
  type OpenedParts,
  type Readings,
  type RunningService,
  type ServiceContext,
} from '@sigv4-keyd/service-skeleton';
import type { SignedStatement } from '@sigv4-keyd/revocation';
import { Acceptances } from './acceptances/acceptances.js';
import { AcceptancePartitions, LOOK_AFTER_EVERY_MS } from './acceptances/partitions.js';
import { AccessKeyChanges } from './access-key-changes.js';
import { AccessKeyRotation } from './access-key-rotation.js';
import { createMasterApp } from './app.js';
import type { Configuration } from './configuration.js';
import { OverviewReader } from './console/overview-reader.js';
import { CustodyRotation } from './custody/custody-rotation.js';
import { keeperOf } from './custody/keeper.js';
import { openCustody } from './custody/open-custody.js';
import { watchCustody } from './custody/watched-custody.js';
import { accountsInDatabase } from './database/budget-accounts.js';
import { DatabaseHosts } from './database/database-hosts.js';
import { connectionReadings } from './database/database-readings.js';
import { openPool } from './database/pool.js';
import { prepareDatabase } from './database/prepare.js';
import { CountedGrants } from './deputies/counted-grants.js';
import { DeputyGrants } from './deputies/deputy-grants.js';
import { feedReadings, feedStatus, whyFeedIsNotReady } from './feed/feed-status.js';
import { openFeed } from './feed/open-feed.js';
import { openLedger } from './ledger/open-ledger.js';
import { LIFETIMES } from './lifetimes.js';
import { MasterBeat } from './master-beat.js';
import { NewAccessKeys } from './new-access-keys.js';
import { END_SESSIONS_EVERY_MS, EndedSessions } from './sessions/ended-sessions.js';
import { NewSessions } from './sessions/new-sessions.js';

/** Imports are told in the feed up to so many pages of it; the rest is for what denies. */
const MOST_PAGES_FOR_NEW = 100;

/** Each holds a connection to the database while it runs: two such regions leave some to all others. */
const MOST_OF_A_REGION_AT_A_TIME = 4;

/** Starts master-keyd once its database serves and its keeper has the keys of the secrets in it. */
export function startMasterKeyd(configuration: Configuration, context: ServiceContext): Promise<RunningService> {
  return openWhole((parts) => start(configuration, context, parts));
}

async function start(
  configuration: Configuration,
  { clock, log, timer = systemClock, watchProcess }: ServiceContext,
  parts: OpenedParts,
): Promise<RunningService> {
  const { databaseUrl, databaseWait, clockSkew, longestPresigned } = configuration;
  const traces = await openTraces(configuration, { service: 'master-keyd', log });
  parts.add(traces.close);
  const { tracer } = traces;
  const credentials = await openOwnCredentials(configuration, 'master', { clock, log });
  const { store, identity } = credentials;
  parts.add(credentials.stop);
  const hosts = DatabaseHosts.of(databaseUrl);
  const schemaVersion = await prepareDatabase(hosts, { clock, log, waitSeconds: databaseWait });
  const pool = openPool(hosts, log, { tracer });
  parts.add(() => pool.end());
  const keeper = await openCustody(keeperOf(configuration), {
    pool,
    hosts,
    credentials: store,
    clock,
    timer,
    log,
    tracer,
  });
  parts.add(keeper.close);
  const { custody, keySetting } = keeper;
  const beat = new MasterBeat({ pool, credentials: store, custodyKey: custody.sealsWith, clock, log });
  await beat.beat();
  parts.add(beat.start());
  const feedParts = await openFeed(configuration, { pool, hosts, clock, log });
  await feedParts.publisher.beat();
  parts.add(feedParts.publisher.start());
  const ledger = openLedger(configuration, { pool, clock, log });
  await ledger.beat.beat();
  parts.add(ledger.beat.start());
  parts.add(ledger.index.start(clock));

  const now = (): number => clock.now();
  const window = { longestPresignedSeconds: longestPresigned, clockSkewSeconds: clockSkew };
  const { feed, attestingKey } = feedParts;
  const hasFeedRoom = (): boolean => (feed.held?.pages.pages.length ?? 0) < MOST_PAGES_FOR_NEW;
  const newAccessKeys = new NewAccessKeys({ pool, custody, random: randomBytes, now, hasFeedRoom });
  const newSessions = new NewSessions({ pool, custody, tokenKey: attestingKey, random: randomBytes, now });
  const changes = new AccessKeyChanges({ pool, feed, custody, now });
  const rotation = new AccessKeyRotation({ pool, feed, custody, random: randomBytes, newAccessKeys, now });
  const requireUpToDate = (): void => feed.requireUpToDate();
  const custodyRotation = new CustodyRotation({ pool, resealing: custody, keySetting, now });
  const watchedCustody = watchCustody(custody);
  const regionKeys = { pool, custody: watchedCustody, window, master: identity, requireUpToDate, now, attestingKey };
  const deputyGrants = new DeputyGrants({
    pool,
    isAllowed: configuration.allowDeputies,
    window,
    trustDomain: identity.trustDomain,
    now,
  });
  const countedGrants = new CountedGrants(deputyGrants);
  await countedGrants.beat();
  parts.add(countedGrants.start(clock));
  const keptDays = Math.floor(configuration.acceptancesKept / 86_400);
  const partitions = new AcceptancePartitions({ pool, log, now, keptDays });
  await partitions.beat();
  parts.add(every(clock, LOOK_AFTER_EVERY_MS, () => partitions.beat()));
  const endedSessions = new EndedSessions({ pool, now, log, keptDays });
  await endedSessions.beat();
  parts.add(every(clock, END_SESSIONS_EVERY_MS, () => endedSessions.beat()));
  const acceptances = new Acceptances({ pool, partitions, now, clockSkewSeconds: clockSkew, keptDays });
  const statements = (): readonly SignedStatement[] => feed.held?.known.statements ?? [];
  const incidents = { pool, window, now, keptDays, statements };
  const overview = new OverviewReader({ pool, window, feed, now });
  const notReady = (): readonly string[] => [
    ...(beat.isDatabaseUp ? [] : ['the database does not take records']),
    ...whyFeedIsNotReady(feedParts),
  ];
  const budget = new PeerBudget({
    accounts: accountsInDatabase(pool),
    limits: configuration,
    mostAtATime: MOST_OF_A_REGION_AT_A_TIME,
    clock,
    log,
  });
  const metrics = new Metrics('master-keyd');
  const app = await createMasterApp({
    own: identity,
    credentials: store,
    newAccessKeys,
    newSessions,
    changes,
    rotation,
    custodyRotation,
    regionKeys,
    deputyGrants,
    budget,
    feedParts,
    acceptances,
    journals: ledger.journals,
    incidents,
    overview,
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
    ...ledger.warnings(),
    ...budget.warnings(),
    ...keeper.warnings(),
    ...doubts,
  ];
  const status = (): object => ({
    identity: store.current.spiffeId,
    ...beat.ownReport(),
    schemaVersion,
    feed: feedStatus(feedParts),
    ledger: ledger.status(),
  });
  const readings = (): Readings<'master-keyd'> => ({
    ...ownReadings({ service: 'master-keyd', notReady, warnings }),
    ...certificateReadings(store, clock),
    ...feedReadings(feedParts, clock.now()),
    ...ledger.readings(),
    ...budgetReadings(budget),
    ...connectionReadings(pool),
    keyd_database_up: beat.isDatabaseUp ? 1 : 0,
    keyd_custody_up: watchedCustody.isUp ? 1 : 0,
    ...keeper.readings(),
    keyd_deputy_grants: countedGrants.count,
  });
  const addresses = {
    hop: await listen(app, configuration.listen, 'KEYD_LISTEN'),
    ...(await serveWatchers(configuration, { notReady, warnings, status, metrics, readings, watchProcess }, parts)),
  };
  return { addresses, reload: () => store.reload(), close: () => parts.close() };
}
