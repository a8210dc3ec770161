import {
  dayStreamPath,
  dayStreamRequest,
  denialsIn,
  hasRole,
  KeydError,
  SERVICE_KEYS,
  spiffeIdOf,
  type KnownFeed,
} from '@sigv4-keyd/hop-protocol';
import type { DayStreams, MtlsApp, PeerBudget } from '@sigv4-keyd/service-skeleton';
import { serviceDayPages, type ServiceDayOptions } from '../days/service-day-pages.js';
import { requireOwnRegion } from '../policy.js';

/** POST /v1/service-keys/day: an edge's kService of one day, for all its access keys or the pinned ones. */
export function serviceKeysDayRoute(
  app: MtlsApp,
  { streams, budget }: { readonly streams: DayStreams; readonly budget: PeerBudget },
  { feed, ...options }: Omit<ServiceDayOptions, 'denialOf'> & { readonly feed: KnownFeed },
): void {
  const { own } = options;
  app.post(
    dayStreamPath(SERVICE_KEYS),
    {
      config: { mtls: { roles: ['edge'] } },
      schema: { body: dayStreamRequest },
      onRequest: budget.refuseEarly,
    },
    (request, reply) => {
      const edge = request.peer;
      if (!hasRole(edge, 'edge')) throw new KeydError('role-not-allowed');
      requireOwnRegion(own, edge);
      const scope = { region: own.region, service: edge.service };
      const question = { ...request.body, requestId: request.id, log: request.log };
      const denialOf = denialsIn(feed, scope, { now: options.now });
      const pages = budget.meter(spiffeIdOf(edge), serviceDayPages(edge, question, { ...options, denialOf }));
      return streams.send(reply, SERVICE_KEYS, { request: request.body, scope, pages });
    },
  );
}
