import type { ServerOptions } from 'node:https';
import type { FastifyInstance } from 'fastify';
import { createCatchAllApp } from '../catch-all-app.js';
import type { Edge } from '../edge.js';
import type { ReverseProxy } from './reverse-proxy.js';

/** The reverse proxy's listener; with `tls` options over HTTPS. */
export function createProxyApp(edge: Edge, proxy: ReverseProxy, tls?: ServerOptions): FastifyInstance {
  return createCatchAllApp({
    log: edge.log,
    ...(tls && { tls }),
    serve: (arrival) => proxy.serve(arrival, tls ? 'https' : 'http'),
    answerUnreadable: edge.answerUnreadable,
  });
}
