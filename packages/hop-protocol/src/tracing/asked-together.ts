import { context, ROOT_CONTEXT, trace, type Context } from '@opentelemetry/api';

/** Requests that wait for one answer: it is asked for within the span of the first; the others link to that. */
export class AskedTogether {
  #first: Context | undefined;

  /** The active span waits, too. */
  join(): void {
    const span = trace.getActiveSpan();
    if (span === undefined) return;
    if (this.#first === undefined) {
      this.#first = context.active();
      return;
    }
    const first = trace.getSpanContext(this.#first);
    if (first && first.spanId !== span.spanContext().spanId) span.addLink({ context: first });
  }

  /** Asks within the span of the first. */
  ask<Result>(work: () => Result): Result {
    return context.with(this.#first ?? ROOT_CONTEXT, work);
  }
}
