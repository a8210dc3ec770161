import type { Metrics } from '@sigv4-keyd/service-skeleton';
import type { AnyRefusalReason } from '@sigv4-keyd/sigv4-answers';
import type { Accepted } from '@sigv4-keyd/sigv4-core';
import { ANY_REASONS, type Tallied } from './request-tally.js';

/** Is told of every verdict. */
export interface VerdictMeter {
  /** `seconds` to the verdict; undefined: it has been counted. */
  accepted(by: Pick<Accepted, 'mechanism' | 'algorithm'>, seconds: number | undefined): void;
  refused(reason: AnyRefusalReason, seconds: number | undefined): void;
}

/** Counts verdicts. Its labels are of closed sets: nothing that a client chooses is among them. */
export class RequestMeter implements VerdictMeter {
  readonly #accepted: (labels: { readonly mechanism: string; readonly algorithm: string }, count?: number) => void;
  readonly #refused: (labels: { readonly reason: string }, count?: number) => void;
  readonly #seconds: (labels: { readonly verdict: string }, seconds: number) => void;

  constructor(metrics: Metrics) {
    this.#accepted = metrics.counter('keyd_requests_accepted_total');
    this.#refused = metrics.counter('keyd_requests_refused_total');
    this.#seconds = metrics.histogram('keyd_verification_seconds');
    // A rate has no first step from nothing: each reason begins at 0.
    for (const reason of ANY_REASONS) this.#refused({ reason }, 0);
  }

  accepted({ mechanism, algorithm }: Pick<Accepted, 'mechanism' | 'algorithm'>, seconds: number | undefined): void {
    this.#accepted({ mechanism, algorithm });
    if (seconds !== undefined) this.#seconds({ verdict: 'accepted' }, seconds);
  }

  refused(reason: AnyRefusalReason, seconds: number | undefined): void {
    this.#refused({ reason });
    if (seconds !== undefined) this.#seconds({ verdict: 'refused' }, seconds);
  }

  /** Takes what another process of the same edge has counted. */
  add({ accepted, refused, microseconds }: Tallied): void {
    for (const { count, ...labels } of accepted) this.#accepted(labels, count);
    for (const { reason, count } of refused) this.#refused({ reason }, count);
    for (const time of microseconds.accepted) this.#seconds({ verdict: 'accepted' }, time / 1e6);
    for (const time of microseconds.refused) this.#seconds({ verdict: 'refused' }, time / 1e6);
  }
}
