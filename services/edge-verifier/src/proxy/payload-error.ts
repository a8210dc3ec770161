import type { AnyRefusalReason } from '@sigv4-keyd/sigv4-answers';

export type PayloadFailure =
  | Extract<AnyRefusalReason, 'body-too-large' | 'request-timeout' | 'spool-unavailable'>
  | 'client-gone';

/** The body of a request did not arrive whole. `client-gone`: nobody is left to be answered. */
export class PayloadError extends Error {
  override readonly name = 'PayloadError';
  readonly reason: PayloadFailure;

  constructor(reason: PayloadFailure, cause?: unknown) {
    super(`the body did not arrive: ${reason}`, { cause });
    this.reason = reason;
  }
}
