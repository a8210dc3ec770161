import { ACCEPTANCES_PATH, hasRole, KeydError, relayedBatches } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import type { Acceptances } from '../acceptances/acceptances.js';

/** The most that a region sends at once, bytes: a file of its buffer, or one batch of the largest size. */
const LARGEST_RELAY = 8 * 1024 * 1024;

/** POST /v1/acceptances: what the edges of a region have accepted. Answered once it is durable. */
export function acceptancesRoute(app: MtlsApp, acceptances: Acceptances): void {
  app.post(
    ACCEPTANCES_PATH,
    { config: { mtls: { roles: ['region'] } }, schema: { body: relayedBatches }, bodyLimit: LARGEST_RELAY },
    async (request, reply) => {
      const region = request.peer;
      if (!hasRole(region, 'region')) throw new KeydError('role-not-allowed');
      await acceptances.take(region, request.body.batches);
      return reply.code(204).send();
    },
  );
}
