import { context, SpanKind, trace, type Tracer } from '@opentelemetry/api';
import { addFacts, markFailed, noteFacts, type SpanFacts } from '@sigv4-keyd/hop-protocol';
import type { Refusal } from '@sigv4-keyd/sigv4-answers';
import type { Accepted } from '@sigv4-keyd/sigv4-core';
import type { Arrival } from '../front-server.js';
import { placeOf, type ClientTraces } from './client-traces.js';
import { knownMethod } from './known-method.js';

/** How an edge traces the requests of clients. */
export interface EdgeTraces {
  readonly tracer: Tracer;
  readonly clientTraces: ClientTraces;
}

export interface TracedFront {
  readonly front: 'proxy' | 'forward-auth';
  readonly scheme: 'http' | 'https';
}

type Serve = (arrival: Arrival) => Promise<void> | void;

/** The same front, with a span for each request. No span says what a client asks for, or with which access key. */
export function tracedFront(traces: EdgeTraces | undefined, { front, scheme }: TracedFront, serve: Serve): Serve {
  if (!traces) return serve;
  const { tracer, clientTraces } = traces;
  return async (arrival) => {
    const { request, response, requestId } = arrival;
    const { parent, links } = placeOf(request, clientTraces);
    const method = knownMethod(request.method ?? '');
    const attributes: SpanFacts = {
      'http.request.method': method.value,
      'url.scheme': scheme,
      'keyd.front': front,
      'keyd.request_id': requestId,
    };
    const span = tracer.startSpan(method.name, { kind: SpanKind.SERVER, attributes, links }, parent);
    response.once('close', () => {
      addFacts(span, { 'http.response.status_code': response.statusCode });
      if (!response.writableFinished) markFailed(span, 'connection-closed');
      span.end();
    });
    await context.with(trace.setSpan(parent, span), () => serve(arrival));
  };
}

/** Tells the span of the request that it was accepted. */
export function noteAccepted({ mechanism }: Pick<Accepted, 'mechanism'>): void {
  noteFacts({ 'keyd.verdict': 'accepted', 'keyd.mechanism': mechanism });
}

/** Tells the span of the request why it was refused. `isFault`: ours or the upstream's, and not the client's. */
export function noteRefused({ reason }: Pick<Refusal, 'reason'>, isFault: boolean): void {
  const span = trace.getActiveSpan();
  if (!span) return;
  addFacts(span, { 'keyd.verdict': 'refused', 'keyd.refusal_reason': reason });
  if (isFault) markFailed(span, reason);
}
