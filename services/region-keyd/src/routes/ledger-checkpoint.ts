import {
  CHECKPOINT_PATH,
  checkpointAnswer,
  checkpointQuery,
  hasRole,
  KeydError,
  type RegionIdentity,
} from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import type { CheckpointRelay } from '../journal/checkpoint-relay.js';
import { requireOwnRegion } from '../policy.js';

/** GET /v1/ledger/checkpoint: the master's newest checkpoint, for edges to check themselves. */
export function ledgerCheckpointRoute(
  app: MtlsApp,
  { own, checkpoints }: { readonly own: RegionIdentity; readonly checkpoints: CheckpointRelay },
): void {
  app.get(
    CHECKPOINT_PATH,
    {
      config: { mtls: { roles: ['edge'] } },
      schema: { querystring: checkpointQuery, response: { 200: checkpointAnswer } },
    },
    (request) => {
      const edge = request.peer;
      if (!hasRole(edge, 'edge')) throw new KeydError('role-not-allowed');
      requireOwnRegion(own, edge);
      return checkpoints.from(request.query.from);
    },
  );
}
