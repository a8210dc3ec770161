import { commonSpelling, PAYLOAD_TOKENS, type Accepted } from '@sigv4-keyd/sigv4-core';

const PREFIX = 'x-keyd-';

/** Whether a header could be read as one of ours. */
export function isIdentityHeader(name: string): boolean {
  // Nothing else becomes an x in lower case. Most names end here.
  if (!name.startsWith('x') && !name.startsWith('X')) return false;
  return commonSpelling(name).startsWith(PREFIX);
}

/** What the upstream is told of a verified request, as name, value, name, value. */
export function identityHeaders(accepted: Accepted, payloadSha256: string, requestId: string): readonly string[] {
  const { accessKeyId, session, scope, mechanism, signedAt } = accepted;
  return [
    'x-keyd-access-key-id',
    accessKeyId,
    ...(session ? ['x-keyd-parent-access-key-id', session.parentAccessKeyId] : []),
    ...(session?.name === undefined ? [] : ['x-keyd-session-name', session.name]),
    'x-keyd-region',
    scope.region,
    'x-keyd-service',
    scope.service,
    'x-keyd-scope-date',
    scope.date,
    'x-keyd-signed-at',
    new Date(signedAt).toISOString(),
    'x-keyd-mechanism',
    mechanism,
    'x-keyd-payload-sha256',
    payloadSha256,
    'x-keyd-request-id',
    requestId,
  ];
}

/** What stands for the hash of a body that no signature covers. */
export const UNSIGNED_PAYLOAD: string = PAYLOAD_TOKENS.unsigned;
