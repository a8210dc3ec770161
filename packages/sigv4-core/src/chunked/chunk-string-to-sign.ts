import { createHash } from 'node:crypto';
import { formatCredentialScope } from '../credential-scope.js';
import type { CredentialScope } from '../credential-scope.js';
import { EMPTY_BODY_SHA256 } from '../payload-hash.js';

/** Of the request that the chunks belong to. */
export interface ChunkScope {
  readonly amzDate: string;
  readonly scope: CredentialScope;
}

/**
 * What the signature of a chunk covers: the signature before it and the chunk's data. The hash of nothing stands where
 * headers of chunks would be.
 */
export function chunkStringToSign({ amzDate, scope }: ChunkScope, previous: string, dataSha256: string): string {
  const at = `${amzDate}\n${formatCredentialScope(scope)}\n${previous}`;
  return `AWS4-HMAC-SHA256-PAYLOAD\n${at}\n${EMPTY_BODY_SHA256}\n${dataSha256}`;
}

/** What the signature of the trailers covers: the signature of the last chunk and the canonical trailers. */
export function trailerStringToSign({ amzDate, scope }: ChunkScope, previous: string, canonical: string): string {
  const hash = createHash('sha256').update(canonical, 'latin1').digest('hex');
  return `AWS4-HMAC-SHA256-TRAILER\n${amzDate}\n${formatCredentialScope(scope)}\n${previous}\n${hash}`;
}
