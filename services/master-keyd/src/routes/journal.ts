import {
  hasRole,
  JOURNAL_PATH,
  journalQuery,
  journalReceipt,
  journalUpload,
  KeydError,
  MOST_RECORD_BYTES_A_PAGE,
  type Identity,
} from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import type { KeyTaker } from '../audit.js';
import type { Journals } from '../ledger/journals.js';

/** A page of records as JSON in JSON, where quotes take two bytes. */
const LARGEST_UPLOAD = 3 * MOST_RECORD_BYTES_A_PAGE;

/** POST and GET /v1/journal: what a region or a deputy has issued, and how far it was taken. */
export function journalRoute(app: MtlsApp, journals: Journals): void {
  const config = { mtls: { roles: ['deputy', 'region'] as const } };
  app.post(
    JOURNAL_PATH,
    { config, schema: { body: journalUpload, response: { 200: journalReceipt } }, bodyLimit: LARGEST_UPLOAD },
    (request) => journals.take(issuerOf(request.peer), request.body),
  );
  app.get(
    JOURNAL_PATH,
    { config, schema: { querystring: journalQuery, response: { 200: journalReceipt } } },
    (request) => journals.receipt(issuerOf(request.peer), request.query.journal),
  );
}

function issuerOf(peer: Identity): KeyTaker {
  if (hasRole(peer, 'region') || hasRole(peer, 'deputy')) return peer;
  throw new KeydError('role-not-allowed');
}
