import {
  hasRole,
  JOURNAL_PATH,
  journalQuery,
  journalReceipt,
  journalUpload,
  KeydError,
  MOST_RECORD_BYTES_A_PAGE,
} from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import type { Journals } from '../ledger/journals.js';

/** A page of records as JSON in JSON, where quotes take two bytes. */
const LARGEST_UPLOAD = 3 * MOST_RECORD_BYTES_A_PAGE;

/** POST and GET /v1/journal: what a region has issued to its edges, and how far it was taken. */
export function journalRoute(app: MtlsApp, journals: Journals): void {
  const config = { mtls: { roles: ['region' as const] } };
  app.post(
    JOURNAL_PATH,
    { config, schema: { body: journalUpload, response: { 200: journalReceipt } }, bodyLimit: LARGEST_UPLOAD },
    (request) => {
      const region = request.peer;
      if (!hasRole(region, 'region')) throw new KeydError('role-not-allowed');
      return journals.take(region, request.body);
    },
  );
  app.get(
    JOURNAL_PATH,
    { config, schema: { querystring: journalQuery, response: { 200: journalReceipt } } },
    (request) => {
      const region = request.peer;
      if (!hasRole(region, 'region')) throw new KeydError('role-not-allowed');
      return journals.receipt(region, request.query.journal);
    },
  );
}
