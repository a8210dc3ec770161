import type { ErrorFacts } from './answer.js';

/** An error document of the AWS JSON protocols. */
export function jsonBody({ code, message, requestId, hints }: ErrorFacts): string {
  return JSON.stringify({ __type: code, message, ...hints, requestId });
}
