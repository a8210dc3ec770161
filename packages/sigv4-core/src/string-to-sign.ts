import { hash } from 'node:crypto';
import type { Algorithm } from './algorithm.js';
import { formatCredentialScope, formatMultiRegionScope } from './credential-scope.js';
import type { CredentialScope } from './credential-scope.js';
import type { Examined } from './examined.js';

/** What the string to sign says of the signature; the scope is written as formatSignedScope does. */
export interface SignedTerms {
  readonly algorithm: Algorithm;
  /** `YYYYMMDDTHHMMSSZ` */
  readonly amzDate: string;
  readonly scope: string;
}

/** Steps 2 and 3 of the specification: hashes the canonical request (latin1) and makes the string to sign. */
export function stringToSign({ algorithm, amzDate, scope }: SignedTerms, canonicalRequest: string): string {
  const digest = hash('sha256', Buffer.from(canonicalRequest, 'latin1'));
  return `${algorithm}\n${amzDate}\n${scope}\n${digest}`;
}

/** The scope as requests write it: ECDSA's has no region. */
export function formatSignedScope(algorithm: Algorithm, scope: CredentialScope): string {
  return algorithm === 'AWS4-HMAC-SHA256' ? formatCredentialScope(scope) : formatMultiRegionScope(scope);
}

/** The string to sign of a request as it was examined. */
export function examinedStringToSign(
  { algorithm, amzDate, scope }: Pick<Examined, 'algorithm' | 'amzDate' | 'scope'>,
  canonicalRequest: string,
): string {
  return stringToSign({ algorithm, amzDate, scope: formatSignedScope(algorithm, scope) }, canonicalRequest);
}
