import { isoTimes } from '@sigv4-keyd/service-skeleton';
import { commonSpelling, PAYLOAD_TOKENS, type Accepted } from '@sigv4-keyd/sigv4-core';

const PREFIX = 'x-keyd-';
const isoTime = isoTimes();

/** Whether a header could be read as one of ours. */
export function isIdentityHeader(name: string): boolean {
  // Nothing else becomes an x in lower case. Most names end here.
  if (!name.startsWith('x') && !name.startsWith('X')) return false;
  return commonSpelling(name.slice(0, PREFIX.length)) === PREFIX;
}

/** What the upstream is told of a verified request, as name, value, name, value. */
export function identityHeaders(accepted: Accepted, payloadSha256: string, requestId: string): string[] {
  const { accessKeyId, session, scope, mechanism, signedAt } = accepted;
  const headers = [
    'x-keyd-access-key-id',
    accessKeyId,
    'x-keyd-region',
    scope.region,
    'x-keyd-service',
    scope.service,
    'x-keyd-scope-date',
    scope.date,
    'x-keyd-signed-at',
    isoTime(signedAt),
    'x-keyd-mechanism',
    mechanism,
    'x-keyd-payload-sha256',
    payloadSha256,
    'x-keyd-request-id',
    requestId,
  ];
  if (session) headers.push('x-keyd-parent-access-key-id', session.parentAccessKeyId);
  if (session?.name !== undefined) headers.push('x-keyd-session-name', session.name);
  return headers;
}

/** What stands for the hash of a body that no signature covers. */
export const UNSIGNED_PAYLOAD: string = PAYLOAD_TOKENS.unsigned;
