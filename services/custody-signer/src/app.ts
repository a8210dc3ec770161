import type { CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import type { SignerIdentity } from '@sigv4-keyd/hop-protocol';
import { createMtlsApp, type HopMeter, type Logger, type MtlsApp, type Traces } from '@sigv4-keyd/service-skeleton';
import { callsRoute } from './routes/calls.js';
import { derivationsRoute, type DerivationsRoute } from './routes/derivations.js';

export interface SignerAppOptions extends DerivationsRoute {
  readonly own: SignerIdentity;
  readonly credentials: CredentialsStore;
  /** Why it cannot do its work now, in words; empty when it can. */
  readonly notReady: () => readonly string[];
  readonly meter: HopMeter;
  readonly tracer?: Traces['tracer'];
  readonly log: Logger;
}

/** What masters and operators see of custody-signer. */
export async function createSignerApp(options: SignerAppOptions): Promise<MtlsApp> {
  const { own, credentials, notReady, meter, tracer, log } = options;
  const app = await createMtlsApp({ credentials, trustDomain: own.trustDomain, log, notReady, meter, tracer });
  derivationsRoute(app, options);
  callsRoute(app, options.counts);
  return app;
}
