import { hasRole, KeydError, REPORT_PATH, regionReport, spiffeIdOf } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import type { Pool } from 'pg';
import { storeTierReport } from '../database/tier-reports.js';
import { requireOwnEdges } from '../policy.js';

/** A report of twenty thousand edges, bytes. */
const LARGEST_REPORT = 32 * 1024 * 1024;

/** POST /v1/report: what a region or a deputy says of itself, and of the edges below it. */
export function reportRoute(app: MtlsApp, { pool, now }: { readonly pool: Pool; readonly now: () => number }): void {
  app.post(
    REPORT_PATH,
    { config: { mtls: { roles: ['deputy', 'region'] } }, schema: { body: regionReport }, bodyLimit: LARGEST_REPORT },
    async (request, reply) => {
      const { peer } = request;
      if (!hasRole(peer, 'region') && !hasRole(peer, 'deputy')) throw new KeydError('role-not-allowed');
      requireOwnEdges(peer, request.body.edges);
      const heard = { spiffeId: spiffeIdOf(peer), heardAt: now(), report: request.body };
      await storeTierReport(pool, peer.role, heard);
      return reply.code(204).send();
    },
  );
}
