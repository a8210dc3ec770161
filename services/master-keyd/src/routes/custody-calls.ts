import { ASKED_CALLS_PATH, askedCalls, askedCallsQuery } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import type { Pool } from 'pg';
import { pageOfAskedCalls } from '../database/custody-calls.js';

/** GET /v1/custody/calls: what masters recorded before they asked an external signer. */
export function custodyCallsRoute(app: MtlsApp, { pool }: { readonly pool: Pool }): void {
  app.get(
    ASKED_CALLS_PATH,
    {
      config: { mtls: { roles: ['operator'] } },
      schema: { querystring: askedCallsQuery, response: { 200: askedCalls } },
    },
    (request) => pageOfAskedCalls(pool, request.query.after),
  );
}
