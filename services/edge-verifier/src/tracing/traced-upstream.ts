import type { ServerResponse } from 'node:http';
import { context, propagation, SpanKind, trace, type Context } from '@opentelemetry/api';
import { addFacts, markFailed, type SpanOf } from '@sigv4-keyd/hop-protocol';
import type { Forwarded } from '../proxy/answer-relay.js';
import { knownMethod } from './known-method.js';
import type { EdgeTraces } from './traced-front.js';

export interface Sending {
  readonly origin: URL;
  readonly method: string;
  /** Lower-case. */
  readonly signedHeaders: readonly string[];
  readonly response: Pick<ServerResponse, 'statusCode'>;
}

/** A request to the upstream that has a span. */
export interface TracedSending {
  /** Tell the upstream of the trace, in place of the client's own: name, value, name, value; none: those stay. */
  readonly headers: readonly string[];
  /** To be called when the forwarding ended. */
  readonly settle: (forwarded: Forwarded) => void;
}

/** Begins the span of a request to the upstream. `settle` is called where the client's own span is active. */
export function tracedSending(
  { tracer }: EdgeTraces,
  { origin, method, signedHeaders, response }: Sending,
  settle: (forwarded: Forwarded) => void,
): TracedSending {
  const around = context.active();
  const { name, facts } = upstreamSpan(origin, method);
  const span = tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes: facts }, around);
  return {
    headers: traceHeadersFor(trace.setSpan(around, span), signedHeaders),
    settle: context.bind(around, (forwarded) => {
      if (forwarded === 'answered') addFacts(span, { 'http.response.status_code': response.statusCode });
      else markFailed(span, forwarded === 'client-gone' ? 'connection-closed' : forwarded.reason);
      span.end();
      settle(forwarded);
    }),
  };
}

const TRACE_HEADERS: ReadonlySet<string> = new Set(['traceparent', 'tracestate']);

/** Whether a header says to which trace a request belongs. */
export function isTraceHeader(name: string): boolean {
  return TRACE_HEADERS.has(name);
}

/** What a client signed is served as it was verified. */
function traceHeadersFor(within: Context, signedHeaders: readonly string[]): readonly string[] {
  if (signedHeaders.some(isTraceHeader)) return [];
  const carrier: Record<string, string> = {};
  propagation.inject(within, carrier);
  return Object.entries(carrier).flat();
}

function upstreamSpan({ hostname, port, protocol }: URL, method: string): Pick<SpanOf, 'name' | 'facts'> {
  const { name, value } = knownMethod(method);
  return {
    name,
    facts: {
      'http.request.method': value,
      'server.address': hostname,
      'server.port': port === '' ? (protocol === 'http:' ? 80 : 443) : Number(port),
    },
  };
}
