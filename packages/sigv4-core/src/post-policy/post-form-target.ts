import { isRefused, refuse } from '../refusal.js';
import type { Refused } from '../refusal.js';
import type { RequestHead } from '../request-head.js';
import { parseRequestTarget } from '../request-target.js';

// Nothing that could be decoded, and neither "." nor "..".
const BUCKET = '[A-Za-z0-9][A-Za-z0-9._-]{0,254}';
const BUCKET_NAME = new RegExp(`^${BUCKET}$`);
const BUCKET_PATH = new RegExp(`^/(${BUCKET})/?$`);

/**
 * The bucket that a form is sent to: `/BUCKET`, or `/` where the host names it. A query could ask the upstream for
 * another operation than an upload, which no part of the form speaks of.
 */
export function bucketOfTarget(
  { target }: RequestHead,
  host: string,
  bucketOfHost: (host: string) => string | undefined,
): string | Refused {
  const parsed = parseRequestTarget(target);
  if (isRefused(parsed)) return parsed;
  if (target.includes('?')) return refuse('form-target-refused', 'a query');
  const inHost = bucketOfHost(host);
  if (parsed.path !== '/') {
    const inPath = BUCKET_PATH.exec(parsed.path)?.[1];
    return inPath === undefined || inHost !== undefined ? refuse('form-target-refused', 'the path') : inPath;
  }
  return inHost !== undefined && BUCKET_NAME.test(inHost) ? inHost : refuse('form-target-refused', 'no bucket');
}
