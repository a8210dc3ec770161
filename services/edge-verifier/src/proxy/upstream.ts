import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Refusal } from '@sigv4-keyd/sigv4-answers';
import { errors, Pool, type Dispatcher } from 'undici';
import { endToEndHeaders } from './hop-by-hop.js';
import { payloadRefusal } from './payload-error.js';

export interface UpstreamRequest {
  readonly method: string;
  /** The wire's bytes, undecoded. */
  readonly target: string;
  /** Name, value, name, value; with content-length where it is known. */
  readonly headers: string[];
  readonly body: Buffer | Readable | null;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

/** How forwarding ended: answered by the upstream, or to be answered by us, or nobody is left to be answered. */
export type Forwarded = 'answered' | 'client-gone' | Refusal;

/** The one upstream, over kept connections. */
export class Upstream {
  readonly origin: URL;
  readonly #pool: Pool;

  constructor(origin: URL, timeoutMs: number) {
    this.origin = origin;
    this.#pool = new Pool(origin, { headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
  }

  /** Sends a verified request and the upstream's answer back. Never rejects. */
  async forward(request: UpstreamRequest, response: ServerResponse, requestId: string): Promise<Forwarded> {
    const { method, target, headers, body, signal } = request;
    let answer: Dispatcher.ResponseData;
    try {
      answer = await this.#pool.request({ method, path: target, headers, body, signal, responseHeaders: 'raw' });
    } catch (error) {
      return signal.aborted ? 'client-gone' : refusalOf(error);
    }
    const { statusCode, statusText, body: answerBody } = answer;
    const answerHeaders = endToEndHeaders(rawHeadersOf(answer.headers));
    if (!names(answerHeaders).includes('x-amz-request-id')) answerHeaders.push('x-amz-request-id', requestId);
    response.writeHead(statusCode, statusText, answerHeaders);
    // Sends the headers without waiting for a body. Not flushHeaders(): it writes them in UTF-8, changing their bytes.
    response.write(NO_BYTES);
    try {
      await pipeline(answerBody, response);
      return 'answered';
    } catch {
      // The answer has begun: ending the connection is the only way left to say that it is not whole.
      response.destroy();
      return 'client-gone';
    }
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}

const NO_BYTES = Buffer.alloc(0);

/** With `responseHeaders: 'raw'` undici gives latin1 names and values in a row, whatever its typings say. */
function rawHeadersOf(headers: unknown): readonly string[] {
  if (!Array.isArray(headers)) throw new TypeError("the upstream's headers came in another form");
  return headers.map(String);
}

function names(headers: readonly string[]): readonly string[] {
  return headers.filter((_text, at) => at % 2 === 0).map((name) => name.toLowerCase());
}

const UNREACHABLE: ReadonlySet<unknown> = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]);

function refusalOf(error: unknown): Forwarded {
  const ofBody = payloadRefusal(error);
  if (ofBody !== undefined) return ofBody;
  if (error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError) {
    return { reason: 'upstream-timeout', cause: error };
  }
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return { reason: UNREACHABLE.has(code) ? 'upstream-unreachable' : 'upstream-failed', cause: error };
}
