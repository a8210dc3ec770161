import { createHash } from 'node:crypto';
import { formatCredentialScope } from './credential-scope.js';
import type { CredentialScope } from './credential-scope.js';

/** The only algorithm that is signed and verified here. */
export const ALGORITHM = 'AWS4-HMAC-SHA256';

/** Steps 2 and 3 of the specification: hashes the canonical request (latin1) and makes the string to sign. */
export function stringToSign(amzDate: string, scope: CredentialScope, canonicalRequest: string): string {
  const hash = createHash('sha256').update(canonicalRequest, 'latin1').digest('hex');
  return `${ALGORITHM}\n${amzDate}\n${formatCredentialScope(scope)}\n${hash}`;
}
