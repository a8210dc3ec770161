import { parseAlgorithm } from './algorithm.js';
import type { Algorithm } from './algorithm.js';
import { readParts } from './authentication.js';
import type { Authentication } from './authentication.js';
import type { QueryParameters } from './query-parameters.js';
import { refuse } from './refusal.js';
import type { Refused } from './refusal.js';

/** Reads the X-Amz-* parameters of a presigned URL. */
export function parseAuthorizationQuery(
  { amz }: QueryParameters,
  accepted: ReadonlySet<Algorithm>,
): Authentication | Refused {
  const algorithm = parseAlgorithm(amz.get('x-amz-algorithm'));
  if (algorithm === undefined || !accepted.has(algorithm)) return refuse('unsupported-algorithm', algorithm);
  return readParts('presigned', algorithm, {
    Credential: amz.get('x-amz-credential'),
    SignedHeaders: amz.get('x-amz-signedheaders'),
    Signature: amz.get('x-amz-signature'),
  });
}
