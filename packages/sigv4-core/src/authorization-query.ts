import { readParts } from './authentication.js';
import type { Authentication } from './authentication.js';
import type { QueryParameters } from './query-parameters.js';
import { refuse } from './refusal.js';
import type { Refused } from './refusal.js';
import { ALGORITHM } from './string-to-sign.js';

/** Reads the X-Amz-* parameters of a presigned URL. */
export function parseAuthorizationQuery({ amz }: QueryParameters): Authentication | Refused {
  if (amz.get('x-amz-algorithm') !== ALGORITHM) return refuse('unsupported-algorithm');
  return readParts('presigned', {
    Credential: amz.get('x-amz-credential'),
    SignedHeaders: amz.get('x-amz-signedheaders'),
    Signature: amz.get('x-amz-signature'),
  });
}
