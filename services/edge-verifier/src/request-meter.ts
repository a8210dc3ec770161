import type { Metrics } from '@sigv4-keyd/service-skeleton';
import { FRONT_REFUSALS, type AnyRefusalReason } from '@sigv4-keyd/sigv4-answers';
import { REFUSALS, type Accepted } from '@sigv4-keyd/sigv4-core';

/** Counts verdicts. Its labels are of closed sets: nothing that a client chooses is among them. */
export class RequestMeter {
  readonly #accepted: (labels: { readonly mechanism: string; readonly algorithm: string }) => void;
  readonly #refused: (labels: { readonly reason: string }, count?: number) => void;
  readonly #seconds: (labels: { readonly verdict: string }, seconds: number) => void;

  constructor(metrics: Metrics) {
    this.#accepted = metrics.counter('keyd_requests_accepted_total');
    this.#refused = metrics.counter('keyd_requests_refused_total');
    this.#seconds = metrics.histogram('keyd_verification_seconds');
    // A rate has no first step from nothing: each reason begins at 0.
    for (const reason of Object.keys({ ...REFUSALS, ...FRONT_REFUSALS })) this.#refused({ reason }, 0);
  }

  /** `seconds` to the verdict; undefined: it has been counted. */
  accepted({ mechanism, algorithm }: Pick<Accepted, 'mechanism' | 'algorithm'>, seconds: number | undefined): void {
    this.#accepted({ mechanism, algorithm });
    if (seconds !== undefined) this.#seconds({ verdict: 'accepted' }, seconds);
  }

  refused(reason: AnyRefusalReason, seconds: number | undefined): void {
    this.#refused({ reason });
    if (seconds !== undefined) this.#seconds({ verdict: 'refused' }, seconds);
  }
}
