import { randomUUID } from 'node:crypto';
import type { Dispatcher } from 'undici';
import type { z } from 'zod';
import { parseJson, readBounded } from './bounded-body.js';
import { KeydError } from './errors.js';
import { errorAnswer } from './schemas.js';

export interface PeerClientOptions {
  /** Base URLs of the peers that can answer, nearest first. The next is asked when one is out of reach. */
  readonly urls: readonly URL[];
  /** Dials with our certificate and accepts none but the expected identity. */
  readonly dispatcher: Dispatcher;
  /** Milliseconds for one peer's answer, headers and body each. */
  readonly timeoutMs?: number;
  /** The largest answer that is read, bytes. */
  readonly mostBytes?: number;
}

export interface PeerCall<Schema extends z.ZodType> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  /** What a good answer looks like; any other is the peer's failure. */
  readonly answer: Schema;
  readonly signal?: AbortSignal;
  /** In place of the client's own limits, for this call. */
  readonly timeoutMs?: number;
  readonly mostBytes?: number;
}

const DEFAULT_TIMEOUT_MS = 5_000;
const DEFAULT_MOST_BYTES = 8 * 1024 * 1024;

/** Calls a peer over mTLS. Rejects with a KeydError: the peer's own refusal, or 'parent-unavailable' with the cause. */
export class PeerClient {
  readonly #urls: readonly URL[];
  readonly #dispatcher: Dispatcher;
  readonly #timeoutMs: number;
  readonly #mostBytes: number;

  constructor(options: PeerClientOptions) {
    this.#urls = options.urls;
    this.#dispatcher = options.dispatcher;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#mostBytes = options.mostBytes ?? DEFAULT_MOST_BYTES;
  }

  async call<Schema extends z.ZodType>(call: PeerCall<Schema>): Promise<z.output<Schema>> {
    let failure: unknown;
    for (const url of this.#urls) {
      try {
        return await this.#callOne(url, call);
      } catch (error) {
        if (!isWorthAnotherPeer(error)) throw error;
        failure = error;
      }
    }
    throw failure instanceof KeydError ? failure : new KeydError('parent-unavailable', { cause: failure });
  }

  async #callOne<Schema extends z.ZodType>(url: URL, call: PeerCall<Schema>): Promise<z.output<Schema>> {
    const timeoutMs = call.timeoutMs ?? this.#timeoutMs;
    const answer = await this.#dispatcher.request({
      origin: url.origin,
      path: call.path,
      method: call.method,
      headers: {
        accept: 'application/json',
        'x-request-id': randomUUID(),
        ...(call.body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(call.body !== undefined && { body: JSON.stringify(call.body) }),
      ...(call.signal && { signal: call.signal }),
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
    const body = parseJson(await readBounded(answer.body, call.mostBytes ?? this.#mostBytes));
    if (answer.statusCode >= 400) throw refusalOf(answer.statusCode, body);
    const parsed = call.answer.safeParse(body);
    if (!parsed.success) {
      throw new KeydError('parent-unavailable', {
        cause: new Error(`${url.host} answered ${call.path} in another form`, { cause: parsed.error }),
      });
    }
    return parsed.data;
  }
}

function refusalOf(status: number, body: unknown): KeydError {
  const parsed = errorAnswer.safeParse(body);
  if (!parsed.success) {
    return new KeydError('parent-unavailable', { cause: new Error(`HTTP status ${status} without a known error`) });
  }
  const { code, detail, requestId } = parsed.data.error;
  return new KeydError(code, {
    ...(detail !== undefined && { detail }),
    cause: new Error(`the peer refused request ${requestId}`),
  });
}

/** A refusal is final, an outage is not: another replica may be well. */
function isWorthAnotherPeer(error: unknown): boolean {
  return !(error instanceof KeydError) || error.statusCode >= 500;
}
