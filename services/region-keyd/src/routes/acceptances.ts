import {
  ACCEPTANCES_KEPT_DAYS,
  ACCEPTANCES_PATH,
  hasRole,
  KeydError,
  requirePlausible,
  rollupBatch,
  type RegionIdentity,
} from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import type { AcceptanceRelay } from '../acceptances/relay.js';
import { requireOwnRegion } from '../policy.js';

export interface AcceptancesRouteOptions {
  readonly own: RegionIdentity;
  readonly acceptances: AcceptanceRelay;
  readonly clockSkewSeconds: number;
  readonly now: () => number;
}

/** POST /v1/acceptances: what an edge has accepted. Answered once it is durable here. */
export function acceptancesRoute(
  app: MtlsApp,
  { own, acceptances, clockSkewSeconds, now }: AcceptancesRouteOptions,
): void {
  app.post(
    ACCEPTANCES_PATH,
    { config: { mtls: { roles: ['edge'] } }, schema: { body: rollupBatch } },
    async (request, reply) => {
      const edge = request.peer;
      if (!hasRole(edge, 'edge')) throw new KeydError('role-not-allowed');
      requireOwnRegion(own, edge);
      requirePlausible(request.body, { now: now(), clockSkewSeconds, keptDays: ACCEPTANCES_KEPT_DAYS });
      await acceptances.take(edge, request.body);
      return reply.code(204).send();
    },
  );
}
