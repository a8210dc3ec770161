import type { ServerOptions } from 'node:https';
import type { Edge } from '../edge.js';
import { FrontServer } from '../front-server.js';
import { tracedFront } from '../tracing/traced-front.js';
import type { ReverseProxy } from './reverse-proxy.js';

/** The reverse proxy's listener; with `tls` options over HTTPS. */
export function createProxyApp(edge: Edge, proxy: ReverseProxy, tls?: ServerOptions): FrontServer {
  const scheme = tls ? 'https' : 'http';
  return new FrontServer({
    log: edge.log,
    ...(tls && { tls }),
    serve: tracedFront(edge.traces, { front: 'proxy', scheme }, (arrival) => proxy.serve(arrival, scheme)),
    answerUnreadable: edge.answerUnreadable,
  });
}
