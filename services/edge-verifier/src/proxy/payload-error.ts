import { PayloadRefused } from '@sigv4-keyd/payload-streams';
import type { AnyRefusalReason, Refusal } from '@sigv4-keyd/sigv4-answers';

export type PayloadFailure = AnyRefusalReason | 'client-gone';

/** The body of a request did not arrive whole, or in time. `client-gone`: nobody is left to be answered. */
export class PayloadError extends Error {
  override readonly name = 'PayloadError';
  readonly reason: PayloadFailure;

  constructor(reason: PayloadFailure, cause?: unknown) {
    super(`the body did not arrive: ${reason}`, { cause });
    this.reason = reason;
  }
}

/** What to answer to a body that failed; undefined for an error that is not about the body. */
export function payloadRefusal(error: unknown): Refusal | 'client-gone' | undefined {
  if (error instanceof PayloadRefused) {
    const { reason, detail } = error.refused;
    return detail === undefined ? { reason } : { reason, detail };
  }
  if (!(error instanceof PayloadError)) return undefined;
  const { reason, cause } = error;
  if (reason === 'client-gone') return reason;
  return cause === undefined ? { reason } : { reason, cause };
}

/** What to answer after any failure; undefined when nobody is left to be answered. */
export function refusalOf(error: unknown): Refusal | undefined {
  const refusal = payloadRefusal(error) ?? { reason: 'internal-error', cause: error };
  return refusal === 'client-gone' ? undefined : refusal;
}
