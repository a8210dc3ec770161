import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions as TlsServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ListenAddress, Logger } from '@sigv4-keyd/service-skeleton';
import type { Answer, Refusal } from '@sigv4-keyd/sigv4-answers';
import { endWithAnswer } from './send-answer.js';
import { Stopwatch } from './stopwatch.js';

/** A request as it came: the target is the wire's own, undecoded. */
export interface Arrival {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: string;
  readonly requestId: string;
  readonly stopwatch: Stopwatch;
  /** Does what is left to do later than `serve`. An error ends the connection, as one of `serve` does. */
  readonly attempt: (task: () => void) => void;
}

export interface FrontServerOptions {
  readonly log: Logger;
  readonly tls?: TlsServerOptions;
  /** Answers every request of every method; never rejects. A promise: the answer takes its time. */
  readonly serve: (arrival: Arrival) => Promise<void> | void;
  /** The answer to what could not be read as a request. */
  readonly answerUnreadable: (refusal: Refusal, requestId: string) => Answer;
}

/** One connection of a client. */
interface Connection {
  readonly socket: Socket;
  /** How many answers are under way on it: a client need not wait for one to ask again. */
  unanswered: number;
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
 * A listener with one handler for everything, on Node.js' own server: what was signed are the bytes of the wire, and no
 * framework reads them, routes by them or answers to them first.
 */
export class FrontServer {
  readonly server: Server;
  readonly #options: FrontServerOptions;
  readonly #connections = new Map<Duplex, Connection>();
  #isClosing = false;

  constructor(options: FrontServerOptions) {
    this.#options = options;
    const { tls } = options;
    this.server = tls ? createTlsServer({ ...LIMITS, ...tls }) : createServer(LIMITS);
    // Node drops headers beyond a count without a word; their total size is bounded already.
    this.server.maxHeadersCount = 0;
    this.server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.#connections.set(socket, { socket, unanswered: 0 });
      socket.once('close', () => this.#connections.delete(socket));
    });
    const onRequest = (request: IncomingMessage, response: ServerResponse): void => this.#onRequest(request, response);
    this.server.on('request', onRequest);
    // Node would answer "100 Continue" by itself: a client must not send its body before its signature was checked.
    this.server.on('checkContinue', onRequest);
    this.server.on('clientError', (error, socket) => this.#onUnreadable(error, socket));
  }

  async listen({ host, port }: ListenAddress): Promise<void> {
    this.server.listen({ host, port });
    await once(this.server, 'listening');
  }

  addresses(): readonly (string | AddressInfo)[] {
    const address = this.server.address();
    return address === null ? [] : [address];
  }

  /** What is under way is answered still, and what comes on its connections by then; each ends with its answer. */
  async close(): Promise<void> {
    this.#isClosing = true;
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    // Node leaves those open that never asked for anything.
    for (const { socket, unanswered } of this.#connections.values()) if (unanswered === 0) socket.destroySoon();
    await closed;
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const connection = this.#connections.get(socket) ?? { socket, unanswered: 0 };
    connection.unanswered += 1;
    response.on('close', () => {
      connection.unanswered -= 1;
      if (this.#isClosing && connection.unanswered === 0) socket.destroySoon();
    });
    if (this.#isClosing) response.shouldKeepAlive = false;
    const { url: target = '' } = request;
    const attempt = (task: () => Promise<void> | void): void => {
      try {
        task()?.catch((error: unknown) => this.#onFailure(error, response));
      } catch (error) {
        this.#onFailure(error, response);
      }
    };
    const arrival = { request, response, target, requestId: randomUUID(), stopwatch: new Stopwatch(), attempt };
    attempt(() => this.#options.serve(arrival));
  }

  /** Nobody knows how far the answer came: ending the connection is the only way left to say that it is not whole. */
  #onFailure(error: unknown, response: ServerResponse): void {
    this.#options.log.error({ err: error }, 'a request could not be served; its connection was ended');
    response.destroy();
  }

  #onUnreadable(error: Error, socket: Duplex): void {
    const { unanswered = 0 } = this.#connections.get(socket) ?? {};
    // The answer to the request before may be on its way: a second one could be taken for a part of it.
    if (codeOf(error) === 'ECONNRESET' || unanswered > 0 || !socket.writable) socket.destroy();
    else endWithAnswer(socket, this.#options.answerUnreadable({ reason: reasonOf(error) }, randomUUID()));
  }
}

function reasonOf(error: Error): Refusal['reason'] {
  const code = codeOf(error);
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers-too-large';
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'request-timeout' : 'malformed-http';
}

function codeOf(error: Error): unknown {
  return 'code' in error ? error.code : undefined;
}
