import type { CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import type { Clock, DeputyIdentity, FeedFollower, KeySource } from '@sigv4-keyd/hop-protocol';
import {
  createBanningApp,
  feedBoard,
  feedRoute,
  type HopMeter,
  type IssuerLedger,
  type Logger,
  type MtlsApp,
  type PeerBudget,
  type Traces,
} from '@sigv4-keyd/service-skeleton';
import type { KDate } from '@sigv4-keyd/sigv4-core';
import type { ServingRule } from './policy.js';
import { regionKeysRoute } from './routes/region-keys.js';

export interface DeputyAppOptions {
  readonly own: DeputyIdentity;
  readonly credentials: CredentialsStore;
  readonly dateKeys: KeySource<KDate>;
  readonly rule: ServingRule;
  readonly feed: FeedFollower;
  readonly ledger: IssuerLedger;
  readonly budget: PeerBudget;
  /** Why it cannot do its work now, in words; empty when it can. */
  readonly notReady: () => readonly string[];
  readonly meter: HopMeter;
  readonly tracer?: Traces['tracer'];
  readonly clock: Clock;
  readonly log: Logger;
}

/** What regions see of deputy-keyd: keys of granted days, and the feed in the very bytes that masters signed. */
export async function createDeputyApp(options: DeputyAppOptions): Promise<MtlsApp> {
  const { own, credentials, feed, notReady, meter, tracer, clock, log } = options;
  const { trustDomain } = own;
  const app = await createBanningApp(feed, { credentials, trustDomain, log, notReady, meter, tracer });
  regionKeysRoute(app, options);
  feedRoute(app, { board: feedBoard(feed), clock, roles: ['region'] });
  return app;
}
