import { CHECKPOINT_PATH, checkpointAnswer, checkpointQuery } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import type { Pool } from 'pg';
import { checkpointFrom } from '../ledger/checkpoints.js';

/** GET /v1/ledger/checkpoint: the newest checkpoint, and the proof from one that the asker has seen. */
export function ledgerCheckpointRoute(app: MtlsApp, { pool }: { readonly pool: Pool }): void {
  app.get(
    CHECKPOINT_PATH,
    {
      config: { mtls: { roles: ['deputy', 'region', 'operator'] } },
      schema: { querystring: checkpointQuery, response: { 200: checkpointAnswer } },
    },
    (request) => checkpointFrom(pool, request.query.from),
  );
}
