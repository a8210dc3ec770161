import {
  ownDenialsIn,
  rungOf,
  SessionTokens,
  spiffeIdOf,
  systemClock,
  type EdgeIdentity,
  type EdgeReport,
} from '@sigv4-keyd/hop-protocol';
import {
  aboveReadings,
  certificateReadings,
  feedReadings,
  keyReadings,
  LedgerWatch,
  openWhole,
  openOwnCredentials,
  toldDoubts,
  UpwardReports,
  type OpenedParts,
  type OwnName,
  type Readings,
  type ServiceContext,
  type Traces,
} from '@sigv4-keyd/service-skeleton';
import { AcceptanceCounts } from './acceptances/acceptance-counts.js';
import { AcceptanceRecord } from './acceptances/acceptance-record.js';
import { AcceptanceRollups } from './acceptances/acceptance-rollups.js';
import { EdgeFeed } from './feed/edge-feed.js';
import { feedGuard } from './feed/feed-guard.js';
import { EDGE_LIFETIMES } from './lifetimes.js';
import { anyRegion, ownRegion } from './own-region.js';
import { openEdgePublicKeys } from './public-keys.js';
import { openServiceKeys } from './service-keys.js';
import type { EdgeKeysSettings } from './settings.js';
import { KEY_FORMS } from './sharing/key-forms.js';
import type { SharedKeys } from './sharing/shared-keys.js';
import { sharedRung } from './sharing/shared-rung.js';
import { SignatureKeys, type GuardedKeySource } from './signature-keys.js';
import { windowRuleOf } from './window.js';

const CHECKPOINT_EVERY_MS = 30_000;

/** Told at the start: what this edge can do, and what it cannot. */
const WHAT_FOR = {
  kService: 'this edge is given kService: it verifies every kind of request of its service',
  kSigning:
    'this edge is bound to aws4_request by its certificate, and given kSigning: it verifies every kind of request of ' +
    'its service, and cannot derive a key for any other purpose',
} as const;

/** The keys of one service in one region, as an edge has them: they look after themselves until they are closed. */
export interface EdgeKeys extends GuardedKeySource {
  /** Who we are: by our certificate. */
  readonly own: EdgeIdentity;
  /** Why nothing can be verified now, in words; empty when it can. */
  notReady(): readonly string[];
  /** What somebody should see to although requests are verified. */
  warnings(): readonly string[];
  /** Everything else worth seeing. Nothing in it is secret. */
  status(): object;
  /** What a scrape of metrics reads of them; docs/metrics.md says what each is. The program around tells the rest. */
  readings(): Omit<Readings<'edge-verifier'>, OwnName>;
  /** For further processes of this edge. */
  readonly shared: SharedKeys;
  /** Reads our certificate again. It is looked at every ten seconds anyway. */
  reload(): Promise<void>;
  /** To be called when the last request was verified: what was accepted is made durable, and nothing runs any more. */
  close(): Promise<void>;
}

/**
 * What an edge's keys live by. Time is the system's, randomness that of Math.random, and traces are those of the
 * program around them, unless given.
 */
export type EdgeKeysContext = Pick<ServiceContext, 'log'> & Partial<ServiceContext> & Partial<Pick<Traces, 'tracer'>>;

/**
 * Opens an edge's keys, with its region out of reach, too: they are not ready then, but what is held is used.
 * @throws StartError, which says what to do
 */
export function openEdgeKeys(settings: EdgeKeysSettings, context: EdgeKeysContext): Promise<EdgeKeys> {
  return openWhole((parts) => open(settings, { clock: systemClock, ...context }, parts));
}

async function open(
  settings: EdgeKeysSettings,
  { clock, log, random = Math.random, timer, tracer }: EdgeKeysContext & ServiceContext,
  parts: OpenedParts,
): Promise<EdgeKeys> {
  const credentials = await openOwnCredentials(settings, 'edge', { clock, log });
  const { store, identity: own } = credentials;
  parts.add(credentials.stop);
  const regions = ownRegion(settings.regions, own, { credentials: store, clock, log, random, timer, tracer });
  parts.add(() => regions.close());
  const region = regions.client;
  const feedAgent = anyRegion(own, { credentials: store, timer });
  parts.add(() => feedAgent.close());
  const feed = await EdgeFeed.open(settings, {
    ownRegion: regions,
    anyRegion: feedAgent,
    clock,
    log,
    random,
    tracer,
  });
  parts.add(() => feed.close());

  const scope = { region: own.region, service: own.service };
  const denials = ownDenialsIn(feed.follower, spiffeIdOf(own), scope, clock);
  const tending = { credentials: store, feed: feed.follower, denials, clock, random, log };
  const silenceEndsAt = (): number => feed.silenceEndsAt();
  const serviceKeys = await openServiceKeys(own, settings, { ...tending, regions, silenceEndsAt });
  parts.add(() => serviceKeys.close());
  const publicKeys = await openEdgePublicKeys(own, settings, region, tending);
  parts.add(() => publicKeys.close());

  const { upkeep } = serviceKeys;
  const rung = rungOf(own);
  log.info({ event: 'edge-rung', rung }, WHAT_FOR[rung]);
  const more = (): Pick<EdgeReport, 'feed'> => feed.seen();
  const reports = new UpwardReports({ parents: regions, clock, log, credentials: store, upkeep, more });
  const counts = new AcceptanceCounts();
  const rollups = await AcceptanceRollups.open({ counts, stateFolder: settings.stateFolder, region, clock, log });
  const ledger = await LedgerWatch.open(settings, { parent: region, clock, log, everyMs: CHECKPOINT_EVERY_MS });
  const doubts = toldDoubts(settings, EDGE_LIFETIMES, log);

  let isClosed = false;
  serviceKeys.start();
  publicKeys.start();
  feed.start();
  parts.add(reports.start());
  parts.add(rollups.start());
  parts.add(ledger.start());
  const guard = feedGuard(feed.follower, own, { horizons: feed.horizons, clock });
  const keys = new SignatureKeys(own, {
    sources: { 'AWS4-HMAC-SHA256': serviceKeys.source, 'AWS4-ECDSA-P256-SHA256': publicKeys.source },
    // Who hears of no revocation any more accepts nothing.
    guard: { objectionTo: (scope) => (isClosed ? 'keys-unavailable' : guard.objectionTo(scope)) },
    sessions: new SessionTokens({ ...scope, pinned: feed.follower.pinned, clock }),
    window: windowRuleOf(settings),
    record: new AcceptanceRecord(spiffeIdOf(own), { log, counts, clock }),
  });
  return {
    ...scope,
    own,
    window: keys.window,
    judgesSessionTokens: keys.judgesSessionTokens,
    find: (...question) => keys.find(...question),
    recordAccepted: (accepted, request) => keys.recordAccepted(accepted, request),
    notReady: () => [...outOfKeys(upkeep, reports, own), ...feed.notReady()],
    warnings: () => [
      ...credentials.warnings(),
      ...feed.warnings(),
      ...ledger.warnings(),
      ...serviceKeys.warnings(),
      ...publicKeys.warnings(),
      ...doubts,
    ],
    status: () => ({
      identity: store.current.spiffeId,
      rung,
      regionReachable: reports.isParentReachable,
      feed: feed.status,
      publicKeys: publicKeys.status(),
      keyCache: serviceKeys.status().keyCache,
      rollups: rollups.status(),
      ledger: ledger.status(),
      ...reports.ownReport(),
    }),
    readings: () => ({
      ...certificateReadings(store, clock),
      ...feedReadings({ state: feed.follower.state, status: feed.status }, feed.freshness, clock),
      ...keyReadings({ upkeep, publicKeys }, clock),
      ...aboveReadings({ parents: regions, reports, ledger }, clock),
      keyd_rollup_waiting_bytes: rollups.status().bytesWaiting,
    }),
    shared: {
      rungs: {
        'AWS4-HMAC-SHA256': sharedRung(serviceKeys.source, KEY_FORMS['AWS4-HMAC-SHA256']),
        'AWS4-ECDSA-P256-SHA256': sharedRung(publicKeys.source, KEY_FORMS['AWS4-ECDSA-P256-SHA256']),
      },
      feed: feed.shared,
      count: (taken) => counts.add(taken),
    },
    async reload() {
      await store.reload();
    },
    close() {
      isClosed = true;
      return parts.close();
    },
  };
}

/** An edge can work when it holds today's keys or can ask for them. An expired certificate alone does not stop it. */
function outOfKeys(
  { holdsToday }: { readonly holdsToday: boolean },
  region: UpwardReports,
  { purpose }: EdgeIdentity,
): readonly string[] {
  if (holdsToday || region.isParentReachable) return [];
  const isRefused = purpose !== undefined && region.failure?.code === 'role-not-allowed';
  return [isRefused ? UNKNOWN_TO_REGION : 'no key of today is held and region-keyd cannot be reached'];
}

const UNKNOWN_TO_REGION =
  'no key of today is held, and region-keyd refuses the identity of this edge: a region of an earlier release knows ' +
  'none that is bound to a purpose; upgrade it, or use a certificate for /edge/REGION/SERVICE/NAME until then';
