import type { AnyRefusalReason, Refusal } from '@sigv4-keyd/sigv4-answers';

export type PayloadFailure =
  Extract<AnyRefusalReason, 'body-too-large' | 'request-timeout' | 'spool-unavailable'> | 'client-gone';

/** The body of a request did not arrive whole. `client-gone`: nobody is left to be answered. */
export class PayloadError extends Error {
  override readonly name = 'PayloadError';
  readonly reason: PayloadFailure;

  constructor(reason: PayloadFailure, cause?: unknown) {
    super(`the body did not arrive: ${reason}`, { cause });
    this.reason = reason;
  }
}

/** What to answer after a failure; undefined when nobody is left to be answered. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof PayloadError)) return { reason: 'internal-error', cause: error };
  if (error.reason === 'client-gone') return undefined;
  return error.cause === undefined ? { reason: error.reason } : { reason: error.reason, cause: error.cause };
}
