import type { CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import type { Clock, RegionIdentity, RegionKeySource } from '@sigv4-keyd/hop-protocol';
import { createMtlsApp, type Logger, type MtlsApp } from '@sigv4-keyd/service-skeleton';
import type { AcceptanceRelay } from './acceptances/relay.js';
import type { EdgeRoster } from './edge-roster.js';
import { acceptancesRoute } from './routes/acceptances.js';
import { reportRoute } from './routes/report.js';
import { serviceKeysRoute } from './routes/service-keys.js';

export interface RegionAppOptions {
  readonly own: RegionIdentity;
  readonly credentials: CredentialsStore;
  readonly regionKeys: RegionKeySource;
  readonly roster: EdgeRoster;
  readonly acceptances: AcceptanceRelay;
  readonly clockSkewSeconds: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What edges see of region-keyd. */
export async function createRegionApp(options: RegionAppOptions): Promise<MtlsApp> {
  const { own, credentials, log, regionKeys, roster } = options;
  const now = (): number => options.clock.now();
  const app = await createMtlsApp({ credentials, trustDomain: own.trustDomain, log });
  serviceKeysRoute(app, { own, regionKeys, now });
  reportRoute(app, { own, roster, now });
  acceptancesRoute(app, { ...options, now });
  return app;
}
