import type { CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import type {
  AttestedPublicKey,
  CachedKeySource,
  Clock,
  FeedFollower,
  KeySource,
  RegionIdentity,
} from '@sigv4-keyd/hop-protocol';
import {
  createBanningApp,
  DayStreams,
  feedBoard,
  feedRoute,
  type HopMeter,
  type IssuerLedger,
  type Logger,
  type MtlsApp,
  type PeerBudget,
  type Traces,
} from '@sigv4-keyd/service-skeleton';
import type { RegionDays } from './days/region-days.js';
import type { KRegion } from '@sigv4-keyd/sigv4-core';
import type { AcceptanceRelay } from './acceptances/relay.js';
import type { EdgeRoster } from './edge-roster.js';
import type { CheckpointRelay } from './journal/checkpoint-relay.js';
import { acceptancesRoute } from './routes/acceptances.js';
import { ledgerCheckpointRoute } from './routes/ledger-checkpoint.js';
import { reportRoute } from './routes/report.js';
import { serviceKeysDayRoute } from './routes/service-keys-day.js';
import { serviceKeysRoute } from './routes/service-keys.js';
import { servicePublicKeysRoute } from './routes/service-public-keys.js';
import { signingKeysDayRoute } from './routes/signing-keys-day.js';
import { signingKeysRoute } from './routes/signing-keys.js';

export interface RegionAppOptions {
  readonly own: RegionIdentity;
  readonly credentials: CredentialsStore;
  readonly regionKeys: CachedKeySource<KRegion>;
  readonly regionDays: RegionDays;
  readonly publicKeys: KeySource<AttestedPublicKey>;
  readonly roster: EdgeRoster;
  readonly feed: FeedFollower;
  readonly ledger: IssuerLedger;
  readonly budget: PeerBudget;
  readonly checkpoints: CheckpointRelay;
  readonly acceptances: AcceptanceRelay;
  /** Why it cannot do its work now, in words; empty when it can. */
  readonly notReady: () => readonly string[];
  readonly meter: HopMeter;
  readonly tracer?: Traces['tracer'];
  readonly clockSkewSeconds: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What edges see of region-keyd. */
export async function createRegionApp(options: RegionAppOptions): Promise<MtlsApp> {
  const { own, credentials, log, regionKeys, regionDays, roster, feed, ledger, budget, clock } = options;
  const { notReady, meter, tracer } = options;
  const now = (): number => clock.now();
  const { trustDomain } = own;
  const app = await createBanningApp(feed, { credentials, trustDomain, log, notReady, meter, tracer });
  const issuing = { own, feed, ledger, budget, now };
  serviceKeysRoute(app, { ...issuing, regionKeys });
  signingKeysRoute(app, { ...issuing, regionKeys });
  servicePublicKeysRoute(app, { ...issuing, publicKeys: options.publicKeys });
  const streaming = { ...issuing, regionKeys, regionDays, streams: new DayStreams(app, clock) };
  serviceKeysDayRoute(app, streaming);
  signingKeysDayRoute(app, streaming);
  ledgerCheckpointRoute(app, options);
  feedRoute(app, { board: feedBoard(feed), clock, roles: ['edge'] });
  reportRoute(app, { own, roster, now });
  acceptancesRoute(app, { ...options, now });
  return app;
}
