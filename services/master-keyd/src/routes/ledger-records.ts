import { LEDGER_RECORDS_PATH, ledgerRecords, ledgerRecordsQuery } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import type { Pool } from 'pg';
import { recordsPage } from '../ledger/records.js';

/** GET /v1/ledger/records: who was given which keys, in the order of the log. */
export function ledgerRecordsRoute(app: MtlsApp, { pool }: { readonly pool: Pool }): void {
  app.get(
    LEDGER_RECORDS_PATH,
    {
      config: { mtls: { roles: ['operator'] } },
      schema: { querystring: ledgerRecordsQuery, response: { 200: ledgerRecords } },
    },
    (request) => recordsPage(pool, request.query),
  );
}
