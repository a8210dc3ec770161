import { context, propagation, SpanKind, trace, type Context, type Span, type Tracer } from '@opentelemetry/api';
import { addFacts, markFailed, spiffeIdOf, type Identity, type SpanFacts } from '@sigv4-keyd/hop-protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { MtlsApp } from '../mtls-app.js';

/**
 * A span for every request of a peer, from its headers to the end of its answer; within that of the peer, which is
 * believed in this: its certificate is of the trust domain, and a wrong parent harms nobody but who reads traces.
 */
export function traceRequests(app: MtlsApp, tracer: Tracer): void {
  const underWay = new WeakMap<FastifyRequest, Context>();
  app.addHook('onRequest', (request, reply, done) => {
    const asker = propagation.extract(context.active(), request.headers);
    const span = startSpan(tracer, request, asker);
    const within = trace.setSpan(asker, span);
    underWay.set(request, within);
    reply.raw.once('close', () => end(span, request, reply));
    context.with(within, done);
  });
  // The body came by events of the connection, which know of no request.
  app.addHook('preValidation', (request, _reply, done) => {
    context.with(underWay.get(request) ?? context.active(), done);
  });
}

function startSpan(tracer: Tracer, { method, routeOptions, id }: FastifyRequest, asker: Context): Span {
  const { url: route } = routeOptions;
  const facts = {
    'http.request.method': method,
    'keyd.request_id': id,
    ...(route !== undefined && { 'http.route': route }),
  };
  const name = route === undefined ? method : `${method} ${route}`;
  return tracer.startSpan(name, { kind: SpanKind.SERVER, attributes: facts }, asker);
}

function end(span: Span, { peer }: FastifyRequest, { raw: { statusCode, writableFinished } }: FastifyReply): void {
  addFacts(span, { ...peerFacts(peer), 'http.response.status_code': statusCode });
  if (!writableFinished) markFailed(span, 'connection-closed');
  else if (statusCode >= 500) markFailed(span, String(statusCode));
  span.end();
}

/** Who was not let in has no identity. */
function peerFacts(peer?: Identity): SpanFacts {
  return peer === undefined ? {} : { 'keyd.peer': spiffeIdOf(peer) };
}
