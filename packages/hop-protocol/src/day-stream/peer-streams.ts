import { randomUUID } from 'node:crypto';
import type { Dispatcher } from 'undici';
import { parseJson, readBounded } from '../bounded-body.js';
import { KeydError } from '../errors.js';
import { errorAnswer } from '../schemas.js';
import { DAY_STREAM_TYPE } from './day-stream-api.js';

export interface PeerStreamsOptions {
  /** Base URLs of the peers that can answer, nearest first. The next is asked when one is out of reach. */
  readonly urls: readonly URL[];
  /** Dials with our certificate and accepts none but the expected identity. */
  readonly dispatcher: Dispatcher;
  /** Milliseconds of silence before the answer begins, and between two parts of it. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const MOST_ERROR_BYTES = 65_536;

/** Opens streams at the tier above, over mTLS. */
export class PeerStreams {
  readonly #options: PeerStreamsOptions;

  constructor(options: PeerStreamsOptions) {
    this.#options = options;
  }

  /**
   * The bytes of the answer, as fast as they are taken. Rejects with a KeydError: the peer's own refusal, or
   * 'parent-unavailable' with the cause. A stream that breaks later ends with whatever broke it.
   */
  async open(path: string, question: object): Promise<AsyncIterable<Buffer>> {
    let failure: unknown;
    for (const url of this.#options.urls) {
      try {
        return await this.#openAt(url, path, question);
      } catch (error) {
        // A refusal is final, an outage is not: another replica may be well.
        if (error instanceof KeydError && error.statusCode < 500) throw error;
        failure = error;
      }
    }
    throw failure instanceof KeydError ? failure : new KeydError('parent-unavailable', { cause: failure });
  }

  async #openAt(url: URL, path: string, question: object): Promise<AsyncIterable<Buffer>> {
    const { dispatcher, timeoutMs = DEFAULT_TIMEOUT_MS } = this.#options;
    const answer = await dispatcher.request({
      origin: url.origin,
      path,
      method: 'POST',
      headers: { accept: DAY_STREAM_TYPE, 'content-type': 'application/json', 'x-request-id': randomUUID() },
      body: JSON.stringify(question),
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
    if (answer.statusCode === 200 && answer.headers['content-type'] === DAY_STREAM_TYPE) return answer.body;
    throw refusalOf(answer.statusCode, parseJson(await readBounded(answer.body, MOST_ERROR_BYTES)));
  }
}

function refusalOf(status: number, body: unknown): Error {
  const parsed = errorAnswer.safeParse(body);
  if (!parsed.success) return new Error(`HTTP status ${status} without a stream or a known error`);
  const { code, detail, requestId } = parsed.data.error;
  return new KeydError(code, {
    ...(detail !== undefined && { detail }),
    cause: new Error(`the peer refused request ${requestId}`),
  });
}
