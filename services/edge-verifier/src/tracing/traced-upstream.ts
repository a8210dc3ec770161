import { context, propagation, SpanKind, trace } from '@opentelemetry/api';
import { markFailed, noteFacts, withinSpan, type SpanOf } from '@sigv4-keyd/hop-protocol';
import type { Forwarded } from '../proxy/upstream.js';
import { knownMethod } from './known-method.js';
import type { EdgeTraces } from './traced-front.js';

export interface Sending {
  readonly origin: URL;
  readonly method: string;
  /** Lower-case. */
  readonly signedHeaders: readonly string[];
  /** What the client was answered. */
  readonly status: () => number;
}

/** `send` is given the headers that tell the upstream of the trace, in place of the client's own; none: those stay. */
export function tracedSending(
  traces: EdgeTraces | undefined,
  sending: Sending,
  send: (traceHeaders: readonly string[]) => Promise<Forwarded>,
): Promise<Forwarded> {
  if (!traces) return send([]);
  return withinSpan(traces.tracer, upstreamSpan(sending), async () => {
    const forwarded = await send(traceHeadersFor(sending.signedHeaders));
    const span = trace.getActiveSpan();
    if (forwarded === 'answered') noteFacts({ 'http.response.status_code': sending.status() });
    else if (span) markFailed(span, forwarded === 'client-gone' ? 'connection-closed' : forwarded.reason);
    return forwarded;
  });
}

const TRACE_HEADERS: ReadonlySet<string> = new Set(['traceparent', 'tracestate']);

/** Whether a header says to which trace a request belongs. */
export function isTraceHeader(name: string): boolean {
  return TRACE_HEADERS.has(name);
}

/** Name, value, name, value. What a client signed is served as it was verified. */
function traceHeadersFor(signedHeaders: readonly string[]): readonly string[] {
  if (signedHeaders.some(isTraceHeader)) return [];
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  return Object.entries(carrier).flat();
}

function upstreamSpan({ origin: { hostname, port, protocol }, method }: Sending): SpanOf {
  const { name, value } = knownMethod(method);
  return {
    name,
    kind: SpanKind.CLIENT,
    facts: {
      'http.request.method': value,
      'server.address': hostname,
      'server.port': port === '' ? (protocol === 'http:' ? 80 : 443) : Number(port),
    },
  };
}
