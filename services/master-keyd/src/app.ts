import { readConsoleFiles } from '@sigv4-keyd/console';
import type { CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import type { Clock, MasterIdentity } from '@sigv4-keyd/hop-protocol';
import {
  createMtlsApp,
  DayStreams,
  feedRoute,
  type HopMeter,
  type Logger,
  type MtlsApp,
  type PeerBudget,
  type Traces,
} from '@sigv4-keyd/service-skeleton';
import type { Acceptances } from './acceptances/acceptances.js';
import type { AccessKeyChanges } from './access-key-changes.js';
import type { AccessKeyRotation } from './access-key-rotation.js';
import type { OverviewReader } from './console/overview-reader.js';
import { serveOwnPagesOnly } from './console/own-pages-only.js';
import type { CustodyRotation } from './custody/custody-rotation.js';
import type { DeputyGrants } from './deputies/deputy-grants.js';
import type { FeedParts } from './feed/open-feed.js';
import type { IncidentReportOptions } from './incident/incident-report.js';
import type { RegionPublicKeysOptions } from './public-key-source.js';
import type { Journals } from './ledger/journals.js';
import type { NewAccessKeys } from './new-access-keys.js';
import { acceptancesRoute } from './routes/acceptances.js';
import { changeAccessKeysRoute } from './routes/change-access-keys.js';
import { consoleRoute } from './routes/console.js';
import { createAccessKeyRoute } from './routes/create-access-key.js';
import { createSessionRoute } from './routes/create-session.js';
import { custodyCallsRoute } from './routes/custody-calls.js';
import { custodyIssuedRoute } from './routes/custody-issued.js';
import { custodyRecoveryRoute } from './routes/custody-recovery.js';
import { custodyRotationRoute } from './routes/custody-rotation.js';
import { custodyStatusRoute } from './routes/custody-status.js';
import { dateKeysDayRoute } from './routes/date-keys-day.js';
import { dateKeysRoute } from './routes/date-keys.js';
import { deputyGrantsRoute } from './routes/deputy-grants.js';
import { identityBansRoute } from './routes/identity-bans.js';
import { importAccessKeyRoute } from './routes/import-access-key.js';
import { incidentReportRoute } from './routes/incident-report.js';
import { journalRoute } from './routes/journal.js';
import { ledgerCheckpointRoute } from './routes/ledger-checkpoint.js';
import { ledgerRecordsRoute } from './routes/ledger-records.js';
import { liftsRoute } from './routes/lifts.js';
import { listAccessKeysRoute } from './routes/list-access-keys.js';
import { overviewRoute } from './routes/overview.js';
import { regionKeysRoute } from './routes/region-keys.js';
import { pinAccessKeysRoute } from './routes/pin-access-keys.js';
import { regionKeysDayRoute } from './routes/region-keys-day.js';
import { regionPublicKeysRoute } from './routes/region-public-keys.js';
import { reportRoute } from './routes/report.js';
import { resumeAfterRestoreRoute } from './routes/resume-after-restore.js';
import { revocationsRoute } from './routes/revocations.js';
import { rotateAccessKeyRoute } from './routes/rotate-access-key.js';
import { showAccessKeyRoute } from './routes/show-access-key.js';
import { statusRoute } from './routes/status.js';
import type { NewSessions } from './sessions/new-sessions.js';

export interface MasterAppOptions {
  readonly own: MasterIdentity;
  readonly credentials: CredentialsStore;
  readonly newAccessKeys: NewAccessKeys;
  readonly newSessions: NewSessions;
  readonly changes: AccessKeyChanges;
  readonly rotation: AccessKeyRotation;
  readonly custodyRotation: CustodyRotation;
  readonly regionKeys: RegionPublicKeysOptions;
  readonly deputyGrants: DeputyGrants;
  readonly budget: PeerBudget;
  readonly feedParts: FeedParts;
  readonly acceptances: Acceptances;
  readonly journals: Journals;
  readonly incidents: IncidentReportOptions;
  readonly overview: OverviewReader;
  /** Why it cannot do its work now, in words; empty when it can. */
  readonly notReady: () => readonly string[];
  readonly meter: HopMeter;
  readonly tracer?: Traces['tracer'];
  readonly clock: Clock;
  readonly log: Logger;
}

/** What regions, deputies and operators see of master-keyd. */
export async function createMasterApp(options: MasterAppOptions): Promise<MtlsApp> {
  const { own, credentials, regionKeys, budget, feedParts, notReady, meter, clock, log } = options;
  const { feed, revocations, lifts, bans, resumption } = feedParts;
  const app = await createMtlsApp({
    credentials,
    trustDomain: own.trustDomain,
    log,
    isRefused: (identity) => feed.refusalOf(identity),
    notReady,
    meter,
    tracer: options.tracer,
  });
  const cancel = feed.onNews(() => app.closeConnectionsOf((peer) => feed.refusalOf(peer) !== undefined));
  app.addHook('onClose', (_app, done) => {
    cancel();
    done();
  });
  serveOwnPagesOnly(app, credentials);
  regionKeysRoute(app, budget, regionKeys);
  regionPublicKeysRoute(app, budget, regionKeys);
  const sending = { streams: new DayStreams(app, clock), budget };
  regionKeysDayRoute(app, sending, regionKeys);
  dateKeysRoute(app, budget, options.deputyGrants, regionKeys);
  dateKeysDayRoute(app, sending, options.deputyGrants, regionKeys);
  deputyGrantsRoute(app, options.deputyGrants);
  reportRoute(app, regionKeys);
  statusRoute(app, { ...regionKeys, feed });
  overviewRoute(app, options.overview);
  consoleRoute(app, await readConsoleFiles());
  createAccessKeyRoute(app, options.newAccessKeys);
  createSessionRoute(app, options.newSessions);
  importAccessKeyRoute(app, options.newAccessKeys);
  listAccessKeysRoute(app, regionKeys);
  showAccessKeyRoute(app, regionKeys);
  changeAccessKeysRoute(app, options.changes);
  rotateAccessKeyRoute(app, options.rotation);
  custodyStatusRoute(app, options.custodyRotation);
  custodyRotationRoute(app, options.custodyRotation);
  custodyRecoveryRoute(app, regionKeys);
  custodyCallsRoute(app, regionKeys);
  custodyIssuedRoute(app, regionKeys);
  pinAccessKeysRoute(app, regionKeys);
  acceptancesRoute(app, options.acceptances);
  incidentReportRoute(app, options.incidents);
  journalRoute(app, options.journals);
  ledgerCheckpointRoute(app, regionKeys);
  ledgerRecordsRoute(app, regionKeys);
  feedRoute(app, { board: feed, clock, roles: ['deputy', 'region', 'operator'] });
  revocationsRoute(app, revocations);
  liftsRoute(app, lifts);
  identityBansRoute(app, bans);
  resumeAfterRestoreRoute(app, resumption);
  return app;
}
