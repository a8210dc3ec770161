import { randomUUID } from 'node:crypto';
import type { Tracer } from '@opentelemetry/api';
import type { Dispatcher } from 'undici';
import { parseJson, readBounded } from '../bounded-body.js';
import { systemClock, type Clock } from '../clock.js';
import { KeydError } from '../errors.js';
import type { ParentHealth } from '../parents/parent-health.js';
import { PeerRefusal, refusalOf } from '../parents/peer-request.js';
import { SEALED_KEYS_TYPE } from '../sealed-keys/sealed-type.js';
import { askingSpan, noteStatus, withTraceparent } from '../tracing/asking-span.js';
import { tracerOfTheProgram, withinSpan } from '../tracing/within-span.js';
import { DAY_STREAM_TYPE } from './day-stream-api.js';

export interface PeerStreamsOptions {
  /** Base URLs of the peers that can answer, nearest first. The next is asked when one is out of reach. */
  readonly urls: readonly URL[];
  /** Dials with our certificate and accepts none but the expected identity. */
  readonly dispatcher: Dispatcher;
  /** What all callers of this process know of these peers. Absent: each stream begins with the nearest. */
  readonly health?: ParentHealth;
  /** Of `health`. */
  readonly clock?: Clock;
  /** Absent: that of the program, if it has one. */
  readonly tracer?: Tracer | undefined;
}

export interface StreamQuestion<Item> {
  readonly path: string;
  readonly body: object;
  /** The media types that are read. */
  readonly accept: string;
  /** Reads the answer. What it throws is the peer's failure. */
  readonly read: (body: AsyncIterable<Buffer>) => AsyncIterable<Item>;
}

/** Silence before an answer begins, and between two parts of it: a page takes the tier above some time. */
const SILENCE_MS = 30_000;
const MOST_ERROR_BYTES = 65_536;

/** Reads streams of the tier above, over mTLS. */
export class PeerStreams {
  readonly #options: PeerStreamsOptions;
  readonly #tracer: Tracer;

  constructor(options: PeerStreamsOptions) {
    this.#options = options;
    this.#tracer = options.tracer ?? tracerOfTheProgram();
  }

  /**
   * What one peer answers, as fast as it is taken. Throws KeydError before the first item, the peer's own refusal or
   * 'parent-unavailable' with the cause; later whatever `read` or a broken connection throws.
   */
  async *read<Item>(question: StreamQuestion<Item>): AsyncGenerator<Item, void, undefined> {
    const { health, clock = systemClock } = this.#options;
    const { url, body } = await this.#open(question);
    const askedAt = clock.now();
    try {
      yield* question.read(body);
      health?.answered(url);
    } catch (error) {
      health?.failed(url, error, askedAt);
      throw error;
    }
  }

  async #open(
    question: Pick<StreamQuestion<never>, 'path' | 'body' | 'accept'>,
  ): Promise<{ readonly url: URL; readonly body: AsyncIterable<Buffer> }> {
    const { urls, health, clock = systemClock } = this.#options;
    let failure: unknown;
    for (const url of health?.inOrder(urls) ?? urls) {
      const askedAt = clock.now();
      try {
        return { url, body: await this.#openAt(url, question) };
      } catch (error) {
        failure = error;
        if (!(error instanceof PeerRefusal)) health?.failed(url, error, askedAt);
        // What is refused by one is refused by all, but for what is the trouble of this one or of its clock.
        else if (error.statusCode < 500 && error.code !== 'date-outside-window') throw error;
        else health?.doubted(url);
      }
    }
    throw failure instanceof KeydError ? failure : new KeydError('parent-unavailable', { cause: failure });
  }

  /** Its span ends when the answer begins: how long the stream takes, the span of the peer tells. */
  #openAt(url: URL, question: Pick<StreamQuestion<never>, 'path' | 'body' | 'accept'>): Promise<AsyncIterable<Buffer>> {
    const requestId = randomUUID();
    const span = askingSpan(url, { method: 'POST', route: question.path, requestId });
    return withinSpan(this.#tracer, span, () => this.#ask(url, question, requestId));
  }

  async #ask(
    url: URL,
    { path, body, accept }: Pick<StreamQuestion<never>, 'path' | 'body' | 'accept'>,
    requestId: string,
  ): Promise<AsyncIterable<Buffer>> {
    const answer = await this.#options.dispatcher.request({
      origin: url.origin,
      path,
      method: 'POST',
      headers: withTraceparent({ accept, 'content-type': 'application/json', 'x-request-id': requestId }),
      body: JSON.stringify(body),
      headersTimeout: SILENCE_MS,
      bodyTimeout: SILENCE_MS,
    });
    noteStatus(answer.statusCode);
    const type = answer.headers['content-type'];
    if (answer.statusCode === 200 && (type === SEALED_KEYS_TYPE || type === DAY_STREAM_TYPE)) return answer.body;
    throw refusalOf(answer, parseJson(await readBounded(answer.body, MOST_ERROR_BYTES)));
  }
}
