import { randomUUID } from 'node:crypto';
import {
  createServer,
  METHODS,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer, type ServerOptions as TlsServerOptions } from 'node:https';
import type { Socket } from 'node:net';
import type { Logger } from '@sigv4-keyd/service-skeleton';
import type { Answer, Refusal } from '@sigv4-keyd/sigv4-answers';
import Fastify, { LogController, type ConnectionError, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { endWithAnswer } from './send-answer.js';
import { Stopwatch } from './stopwatch.js';

/** A request as it came: the target is the wire's own, undecoded. */
export interface Arrival {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: string;
  readonly requestId: string;
  readonly stopwatch: Stopwatch;
}

export interface CatchAllOptions {
  readonly log: Logger;
  readonly tls?: TlsServerOptions;
  /** Answers every request of every method; never rejects. */
  readonly serve: (arrival: Arrival) => Promise<void>;
  /** The answer to what could not be read as a request. */
  readonly answerUnreadable: (refusal: Refusal, requestId: string) => Answer;
}

const LONGEST_HEADERS_BYTES = 16 * 1024;
const HEADERS_TIMEOUT_MS = 15_000;
const KEEP_ALIVE_MS = 65_000;

const LIMITS: ServerOptions = {
  maxHeaderSize: LONGEST_HEADERS_BYTES,
  headersTimeout: HEADERS_TIMEOUT_MS,
  // A large upload may take hours; what ends a stalled one is the pause that its body may make.
  requestTimeout: 0,
  keepAliveTimeout: KEEP_ALIVE_MS,
  connectionsCheckingInterval: 5_000,
  // The verifier refuses a second Host itself, and knows its reason.
  requireHostHeader: true,
  insecureHTTPParser: false,
};

/**
 * A Fastify app with one route for everything. What was signed are the bytes of the wire, so nothing of the framework
 * may read them first: the router sees "/" instead of the target, and no method has a body that Fastify would parse.
 */
export function createCatchAllApp({ log, tls, serve, answerUnreadable }: CatchAllOptions): FastifyInstance {
  const loggerInstance: FastifyBaseLogger = log;
  const unanswered = new WeakSet<Socket>();
  const app = Fastify({
    serverFactory: (listener) => createHttpServer(listener, tls),
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    genReqId: () => randomUUID(),
    rewriteUrl: () => '/',
    clientErrorHandler: (error, socket) => {
      // The answer to the request before may be on its way: a second one could be taken for a part of it.
      if (error.code === 'ECONNRESET' || unanswered.has(socket) || !socket.writable) socket.destroy();
      else endWithAnswer(socket, answerUnreadable({ reason: reasonOf(error) }, randomUUID()));
    },
  });
  for (const method of METHODS) app.addHttpMethod(method, { hasBody: false, overrideExisting: true });
  app.route({
    method: METHODS,
    url: '/',
    handler: async (request, reply) => {
      const stopwatch = new Stopwatch();
      // From here on the answer is ours: Fastify would add, drop or rename headers.
      reply.hijack();
      const { socket } = request.raw;
      unanswered.add(socket);
      reply.raw.once('finish', () => unanswered.delete(socket));
      const { raw, originalUrl: target, id: requestId } = request;
      await serve({ request: raw, response: reply.raw, target, requestId, stopwatch });
    },
  });
  return app;
}

function createHttpServer(listener: RequestListener, tls: TlsServerOptions | undefined): Server {
  const server = tls ? createTlsServer({ ...LIMITS, ...tls }, listener) : createServer(LIMITS, listener);
  // Node drops headers beyond a count without a word; their total size is bounded already.
  server.maxHeadersCount = 0;
  // Node would answer "100 Continue" by itself: a client must not send its body before its signature was checked.
  server.on('checkContinue', listener);
  return server;
}

function reasonOf(error: ConnectionError): Refusal['reason'] {
  if (error.code === 'HPE_HEADER_OVERFLOW') return 'headers-too-large';
  return error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'request-timeout' : 'malformed-http';
}
