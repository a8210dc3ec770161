import type { Tracer } from '@opentelemetry/api';
import { identityOf } from '@sigv4-keyd/hop-protocol';
import { openOwnCredentials, type OwnCredentials } from './credentials.js';
import type { OpenedParts } from './opened-parts.js';
import type { ServiceContext } from './run-service.js';
import { TierAbove } from './tier-above.js';
import { openTraces } from './tracing/index.js';
import type { TracesSettings } from './tracing/traces-settings.js';

export interface BelowMastersSettings extends TracesSettings {
  readonly tlsCert: string;
  readonly tlsKey: string;
  readonly tlsCa: string;
  readonly trustDomain: string;
  /** Nearest first. */
  readonly masters: readonly URL[];
}

/** Who a service is that stands right below the masters, and its way to them. */
export interface BelowMasters<R extends 'region' | 'deputy'> {
  readonly credentials: OwnCredentials<R>;
  readonly masters: TierAbove;
  /** Undefined: nothing is traced. */
  readonly tracer: Tracer | undefined;
}

/**
 * Opens what such a service begins with. Nobody is asked anything yet.
 * @throws StartError
 */
export async function openBelowMasters<R extends 'region' | 'deputy'>(
  role: R,
  settings: BelowMastersSettings,
  { clock, log, random = Math.random, timer }: ServiceContext,
  parts: OpenedParts,
): Promise<BelowMasters<R>> {
  const { tracer, close } = await openTraces(settings, { service: `${role}-keyd`, log });
  parts.add(close);
  const credentials = await openOwnCredentials(settings, role, { clock, log });
  parts.add(credentials.stop);
  const { trustDomain } = settings;
  const masters = new TierAbove(settings.masters, {
    credentials: credentials.store,
    acceptsServer: (id) => id.trustDomain === trustDomain && identityOf(id)?.role === 'master',
    clock,
    log,
    random,
    timer,
    tracer,
  });
  parts.add(() => masters.close());
  return { credentials, masters, tracer };
}
