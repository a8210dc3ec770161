import { context, propagation } from '@opentelemetry/api';

/** The trace of this moment, for the other process to go on with; nothing where there is none. */
export function handedOn(): { readonly traceparent?: string } {
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  const traceparent = carrier['traceparent'];
  return traceparent === undefined ? {} : { traceparent };
}

/** Does the work within a trace that was handed on. */
export function withinTrace<Result>(traceparent: string | undefined, work: () => Result): Result {
  if (traceparent === undefined) return work();
  return context.with(propagation.extract(context.active(), { traceparent }), work);
}
