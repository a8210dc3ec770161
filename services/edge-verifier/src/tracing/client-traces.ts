import type { IncomingMessage } from 'node:http';
import { isSpanContextValid, propagation, ROOT_CONTEXT, trace, type Context, type Link } from '@opentelemetry/api';

/** What becomes of the trace that a client says its request belongs to (`traceparent`). */
export const CLIENT_TRACES = ['ignored', 'linked', 'parent'] as const;
export type ClientTraces = (typeof CLIENT_TRACES)[number];

/** Where the span of a request belongs. */
export interface PlaceOfSpan {
  readonly parent: Context;
  readonly links: Link[];
}

/**
 * Anybody can send any traceparent: as a parent it would decide what is sent to the collector, and in whose trace. As a
 * link it does neither. Of a link the identifiers alone are kept: `tracestate` is free text.
 */
export function placeOf({ headers }: Pick<IncomingMessage, 'headers'>, clientTraces: ClientTraces): PlaceOfSpan {
  if (clientTraces === 'ignored') return { parent: ROOT_CONTEXT, links: [] };
  const told = propagation.extract(ROOT_CONTEXT, headers);
  if (clientTraces === 'parent') return { parent: told, links: [] };
  const span = trace.getSpanContext(told);
  if (!span || !isSpanContextValid(span)) return { parent: ROOT_CONTEXT, links: [] };
  const { traceId, spanId, traceFlags } = span;
  return { parent: ROOT_CONTEXT, links: [{ context: { traceId, spanId, traceFlags, isRemote: true } }] };
}
