import { isNormalisedPath } from './canonical-uri.js';
import type { VerificationPolicy } from './policy.js';
import { refuse } from './refusal.js';
import type { Refused } from './refusal.js';

/** The host is served, and the path is normalised where the rule signs the normalised one. */
export function checkDestination(
  host: string | undefined,
  path: string,
  policy: VerificationPolicy,
): Refused | undefined {
  if (host === undefined || !policy.acceptsHost(host)) return refuse('host-not-served');
  const strict = policy.pathRule === 'standard' && policy.unnormalisedPaths === 'refused';
  return strict && !isNormalisedPath(path) ? refuse('path-not-normalised') : undefined;
}
