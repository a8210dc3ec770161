import type { Readable } from 'node:stream';
import { Pool } from 'undici';
import type { AnswerRelay } from './answer-relay.js';

export interface UpstreamRequest {
  readonly method: string;
  /** The wire's bytes, undecoded. */
  readonly path: string;
  /** Name, value, name, value; with content-length where it is known. */
  readonly headers: string[];
  readonly body: Buffer | Readable | null;
}

/** The one upstream, over kept connections. A request is sent once: what fails is told, and never tried again. */
export class Upstream {
  readonly origin: URL;
  readonly #pool: Pool;

  constructor(origin: URL, timeoutMs: number) {
    this.origin = origin;
    this.#pool = new Pool(origin, { headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
  }

  /** Sends a verified request. Never throws: the relay is told of all that comes of it. */
  send(request: UpstreamRequest, relay: AnswerRelay): void {
    this.#pool.dispatch(request, relay);
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}
