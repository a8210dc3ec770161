import {
  dayStreamPath,
  dayStreamRequest,
  denialsIn,
  hasRole,
  KeydError,
  spiffeIdOf,
  type KnownFeed,
} from '@sigv4-keyd/hop-protocol';
import type { DayStreams, MtlsApp, PeerBudget } from '@sigv4-keyd/service-skeleton';
import { serviceDayPages, type ServiceDayOptions } from './days/service-day-pages.js';
import type { DerivedRung } from './edge-rungs.js';
import { requireOwnRegion, requireOwnRung } from './policy.js';

export interface EdgeDayRouteOptions extends Omit<ServiceDayOptions, 'denialOf' | 'derived'> {
  readonly streams: DayStreams;
  readonly budget: PeerBudget;
  readonly feed: KnownFeed;
}

/** Streams a whole day to edges by one hop: judged by their certificate and the feed, recorded, then released. */
export function edgeDayRoute<Key>(
  app: MtlsApp,
  derived: DerivedRung<Key>,
  { streams, budget, feed, ...options }: EdgeDayRouteOptions,
): void {
  const { own } = options;
  const { hop, rung } = derived;
  app.post(
    dayStreamPath(hop),
    {
      config: { mtls: { roles: ['edge'] } },
      schema: { body: dayStreamRequest },
      onRequest: budget.refuseEarly,
    },
    (request, reply) => {
      const edge = request.peer;
      if (!hasRole(edge, 'edge')) throw new KeydError('role-not-allowed');
      requireOwnRegion(own, edge);
      requireOwnRung(edge, rung);
      const scope = { region: own.region, service: edge.service };
      const question = { ...request.body, requestId: request.id, log: request.log };
      const denialOf = denialsIn(feed, scope, { now: options.now });
      const pages = budget.meter(spiffeIdOf(edge), serviceDayPages(edge, question, { ...options, derived, denialOf }));
      return streams.send(reply, hop, { request: request.body, scope, pages });
    },
  );
}
