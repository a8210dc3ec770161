import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '@sigv4-keyd/hop-protocol';
import type { Refusal } from '@sigv4-keyd/sigv4-answers';
import type { Dispatcher } from 'undici';
import { endAnswer, lingers } from '../send-answer.js';
import { answerHeaders } from './answer-headers.js';
import { upstreamRefusal } from './upstream-failure.js';

/** How forwarding ended: answered by the upstream, or to be answered by us, or nobody is left to be answered. */
export type Forwarded = 'answered' | 'client-gone' | Refusal;

export interface AnsweredClient {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
}

/**
 * Hands the upstream's answer to the client as it comes: no faster than the client takes it, and given up when the
 * client is gone. `settle` is called once, whatever happens.
 */
export class AnswerRelay implements Dispatcher.DispatchHandler {
  readonly #client: AnsweredClient;
  readonly #clock: Clock;
  readonly #settle: (forwarded: Forwarded) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #isSettled = false;

  constructor(client: AnsweredClient, clock: Clock, settle: (forwarded: Forwarded) => void) {
    this.#client = client;
    this.#clock = clock;
    this.#settle = settle;
    client.response.once('close', () => this.#onClientGone());
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isSettled) controller.abort(new ClientGone());
  }

  onResponseStart(
    { rawHeaders }: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    statusText?: string,
  ): void {
    // 1xx is for the hop that it came over; the answer follows.
    if (status < 200) return;
    const { request, response, requestId } = this.#client;
    // An answer that came before the whole body: the rest is not worth a kept connection.
    if (lingers(request)) response.shouldKeepAlive = false;
    response.writeHead(status, writable(statusText), answerHeaders(latin1(rawHeaders), requestId));
    // Sends the head without waiting for a body, but in one piece with what has come of it. Not flushHeaders(): it
    // writes the head in UTF-8, changing its bytes.
    response.write(NO_BYTES);
  }

  onResponseData(controller: Dispatcher.DispatchController, part: Buffer): void {
    const { response } = this.#client;
    if (response.write(part)) return;
    controller.pause();
    response.once('drain', () => controller.resume());
  }

  /** Trailers end here: nobody was told that they are wanted (TE is of the hop). */
  onResponseEnd(): void {
    const { request, response } = this.#client;
    this.#end('answered');
    endAnswer(request, response, this.#clock);
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.#isSettled) return;
    const { response } = this.#client;
    if (!response.headersSent) {
      this.#end(upstreamRefusal(error));
      return;
    }
    // The answer has begun: ending the connection is the only way left to say that it is not whole.
    this.#end('client-gone');
    response.destroy();
  }

  #onClientGone(): void {
    if (this.#isSettled) return;
    this.#end('client-gone');
    // Not yet there: the request waits for a connection still, and is given up when it has one.
    this.#controller?.abort(new ClientGone());
  }

  #end(forwarded: Forwarded): void {
    this.#isSettled = true;
    this.#settle(forwarded);
  }
}

class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

const NO_BYTES = Buffer.alloc(0);

function latin1(headers: Dispatcher.DispatchController['rawHeaders']): string[] {
  if (!Array.isArray(headers)) throw new TypeError("the upstream's headers came in another form");
  return headers.map((text) => (typeof text === 'string' ? text : text.toString('latin1')));
}

/** The reason phrase, which undici reads as UTF-8: what is none cannot be written, and nobody needs it. */
function writable(statusText: string | undefined): string {
  return statusText !== undefined && /^[\t\x20-\x7e\x80-\xff]*$/.test(statusText) ? statusText : '';
}
