import type { Refusal } from '@sigv4-keyd/sigv4-answers';
import { errors } from 'undici';
import { payloadRefusal } from './payload-error.js';

const UNREACHABLE: ReadonlySet<unknown> = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** What to answer to a request that the upstream did not answer; its body may be what failed. */
export function upstreamRefusal(error: unknown): Refusal | 'client-gone' {
  const ofBody = payloadRefusal(error);
  if (ofBody !== undefined) return ofBody;
  if (error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError) {
    return { reason: 'upstream-timeout', cause: error };
  }
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return { reason: UNREACHABLE.has(code) ? 'upstream-unreachable' : 'upstream-failed', cause: error };
}
