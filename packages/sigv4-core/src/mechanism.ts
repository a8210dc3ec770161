import type { Mechanism } from './canonical-query.js';
import type { HeaderTable } from './header-table.js';
import type { VerificationPolicy } from './policy.js';
import type { QueryParameters } from './query-parameters.js';
import { refuse } from './refusal.js';
import type { Refused } from './refusal.js';

const AUTHENTICATING = [
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-expires',
  'x-amz-signature',
  'x-amz-signedheaders',
] as const;

// In a presigned URL these stand for the header of the same name; with an Authorization header they may contradict it.
const STANDING_FOR_HEADERS = [
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-region-set',
  'x-amz-security-token',
] as const;

/** Finds where the signature travels; what could be read both ways is refused. */
export function chooseMechanism(
  headers: HeaderTable,
  query: QueryParameters,
  policy: VerificationPolicy,
): Mechanism | Refused {
  const inQuery = AUTHENTICATING.some((name) => query.amz.has(name));
  if (headers.has('authorization')) {
    const ambiguous = inQuery || STANDING_FOR_HEADERS.some((name) => query.amz.has(name));
    return ambiguous ? refuse('both-mechanisms') : 'header';
  }
  if (!inQuery) return refuse('missing-authentication');
  if (policy.presigned === 'refused') return refuse('presigned-refused');
  for (const name of STANDING_FOR_HEADERS) {
    const header = headers.get(name);
    const parameter = query.amz.get(name);
    // The date must be in the query: a header alone would leave the URL's own date open.
    const agrees = header === parameter || header === undefined || (parameter === undefined && name !== 'x-amz-date');
    if (!agrees) return refuse('header-parameter-conflict', name);
  }
  return 'presigned';
}
