import { COUNTED_CALLS_PATH, countedCalls, countedCallsQuery } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import type { CallCounts } from '../audit.js';

/** GET /v1/calls: what was counted, for operators to compare with what masters asked for and issued. */
export function callsRoute(app: MtlsApp, counts: CallCounts): void {
  app.get(
    COUNTED_CALLS_PATH,
    {
      config: { mtls: { roles: ['operator'] } },
      schema: { querystring: countedCallsQuery, response: { 200: countedCalls } },
    },
    (request) => counts.page(request.query.from),
  );
}
