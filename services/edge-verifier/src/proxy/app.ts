import type { ServerOptions } from 'node:https';
import type { FastifyInstance } from 'fastify';
import { createCatchAllApp } from '../catch-all-app.js';
import type { Edge } from '../edge.js';
import { tracedFront } from '../tracing/traced-front.js';
import type { ReverseProxy } from './reverse-proxy.js';

/** The reverse proxy's listener; with `tls` options over HTTPS. */
export function createProxyApp(edge: Edge, proxy: ReverseProxy, tls?: ServerOptions): FastifyInstance {
  const scheme = tls ? 'https' : 'http';
  return createCatchAllApp({
    log: edge.log,
    ...(tls && { tls }),
    serve: tracedFront(edge.traces, { front: 'proxy', scheme }, (arrival) => proxy.serve(arrival, scheme)),
    answerUnreadable: edge.answerUnreadable,
  });
}
