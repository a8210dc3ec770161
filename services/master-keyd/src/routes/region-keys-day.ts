import { dayStreamPath, dayStreamRequest, hasRole, KeydError, REGION_KEYS, spiffeIdOf } from '@sigv4-keyd/hop-protocol';
import type { DayStreams, MtlsApp, PeerBudget } from '@sigv4-keyd/service-skeleton';
import { dayPages } from '../day-pages.js';
import type { RegionKeysOptions } from '../key-source.js';

/** POST /v1/region-keys/day: a region's own kRegion of one day, for all its access keys or the pinned ones. */
export function regionKeysDayRoute(
  app: MtlsApp,
  { streams, budget }: { readonly streams: DayStreams; readonly budget: PeerBudget },
  options: RegionKeysOptions,
): void {
  app.post(
    dayStreamPath(REGION_KEYS),
    {
      config: { mtls: { roles: ['region'] } },
      schema: { body: dayStreamRequest },
      onRequest: budget.refuseEarly,
    },
    (request, reply) => {
      const region = request.peer;
      if (!hasRole(region, 'region')) throw new KeydError('role-not-allowed');
      const asker = { region, requestId: request.id, log: request.log };
      const pages = budget.meter(spiffeIdOf(region), dayPages(asker, request.body, options));
      return streams.send(reply, REGION_KEYS, { request: request.body, scope: { region: region.region }, pages });
    },
  );
}
