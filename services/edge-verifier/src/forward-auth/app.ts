import type { Edge } from '../edge.js';
import { FrontServer } from '../front-server.js';
import { tracedFront } from '../tracing/traced-front.js';
import type { ForwardAuth } from './forward-auth.js';

/**
 * The listener that fronts ask. It believes what the front says of the original request, so it must be out of reach for
 * clients, and the front must overwrite the headers that it speaks through.
 */
export function createForwardAuthApp(edge: Edge, forwardAuth: ForwardAuth): FrontServer {
  return new FrontServer({
    log: edge.log,
    serve: tracedFront(edge.traces, { front: 'forward-auth', scheme: 'http' }, (arrival) => forwardAuth.serve(arrival)),
    answerUnreadable: edge.answerUnreadable,
  });
}
