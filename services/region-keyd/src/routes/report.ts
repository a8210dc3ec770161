import { edgeReport, hasRole, KeydError, REPORT_PATH, type RegionIdentity } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import type { EdgeRoster } from '../edge-roster.js';
import { requireOwnRegion } from '../policy.js';

/** POST /v1/report: what an edge says of itself. */
export function reportRoute(
  app: MtlsApp,
  { own, roster, now }: { readonly own: RegionIdentity; readonly roster: EdgeRoster; readonly now: () => number },
): void {
  app.post(
    REPORT_PATH,
    { config: { mtls: { roles: ['edge'] } }, schema: { body: edgeReport } },
    async (request, reply) => {
      const edge = request.peer;
      if (!hasRole(edge, 'edge')) throw new KeydError('role-not-allowed');
      requireOwnRegion(own, edge);
      roster.hear(edge, request.body, now());
      return reply.code(204).send();
    },
  );
}
