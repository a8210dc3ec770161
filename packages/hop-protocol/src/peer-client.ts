import { randomUUID } from 'node:crypto';
import { context, type Tracer } from '@opentelemetry/api';
import type { Dispatcher } from 'undici';
import type { z } from 'zod';
import { systemClock, type Clock } from './clock.js';
import { KeydError, type ErrorCode } from './errors.js';
import { firstAnswer } from './parents/first-answer.js';
import { HedgeAllowance } from './parents/hedge-allowance.js';
import type { ParentHealth } from './parents/parent-health.js';
import { PeerRefusal, requestOf, type OtherForm, type PeerRequest } from './parents/peer-request.js';
import { ToldToWait } from './parents/told-to-wait.js';
import { askingSpan } from './tracing/asking-span.js';
import { tracerOfTheProgram, withinSpan } from './tracing/within-span.js';

export interface PeerClientOptions {
  /** Base URLs of the peers that can answer, nearest first. The next is asked when one is out of reach. */
  readonly urls: readonly URL[];
  /** Dials with our certificate and accepts none but the expected identity. */
  readonly dispatcher: Dispatcher;
  /** What all callers of this process know of these peers. Absent: each call begins with the nearest. */
  readonly health?: ParentHealth;
  /** Milliseconds until one peer's answer begins. */
  readonly timeoutMs?: number;
  /** The largest answer that is read, bytes. */
  readonly mostBytes?: number;
  /** For what is remembered between calls. */
  readonly clock?: Clock;
  /** Rings the ends of waits for the network, which lives in real time whatever `clock` says. */
  readonly timer?: Clock;
  /** A number from 0 up to 1, for jitter. */
  readonly random?: () => number;
  /** Absent: that of the program, if it has one. */
  readonly tracer?: Tracer | undefined;
}

export interface PeerCall<Schema extends z.ZodType> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  /** Of the request that this one is made for; by default it is a request of its own. */
  readonly requestId?: string | undefined;
  /** What a good answer looks like; any other is the peer's failure. */
  readonly answer: Schema;
  /** How else a good answer may come. */
  readonly otherForm?: OtherForm<z.output<Schema>>;
  readonly signal?: AbortSignal;
  /** Whether another peer may be asked beside one that is silent: for what many wait for, and twice is harmless. */
  readonly isHedged?: boolean;
  /** In place of the client's own limits, for this call. */
  readonly timeoutMs?: number;
  readonly mostBytes?: number;
  /** Milliseconds for one peer's whole answer. */
  readonly withinMs?: number;
}

const DEFAULT_TIMEOUT_MS = 5_000;
const DEFAULT_MOST_BYTES = 8 * 1024 * 1024;
const DEFAULT_WITHIN_MS = 30_000;
/** A lost packet, or three round trips across an ocean for a new connection, fit into it. */
const HEDGE_AFTER_MS = 1_000;

/** Refusals below 500 that say more of the peer than of the request: its authorities are old, its clock is wrong. */
const FAULTS: ReadonlySet<ErrorCode> = new Set(['not-authenticated', 'date-outside-window']);
/** Its release lacks the route, while one is replaced by the next: it does all else. */
const MISSING: ErrorCode = 'not-found';

/**
 * Calls the peers of the tier above over mTLS: the nearest that is well, and another at once when it fails. Rejects
 * with a KeydError: a peer's own refusal, or 'parent-unavailable' with the cause.
 */
export class PeerClient {
  readonly #options: PeerClientOptions;
  readonly #clock: Clock;
  readonly #timer: Clock;
  readonly #toldToWait: ToldToWait;
  readonly #tracer: Tracer;
  readonly #hedges = new HedgeAllowance();

  constructor(options: PeerClientOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#timer = options.timer ?? systemClock;
    this.#tracer = options.tracer ?? tracerOfTheProgram();
    this.#toldToWait = new ToldToWait({ clock: this.#clock, random: options.random ?? Math.random });
  }

  async call<Schema extends z.ZodType>(call: PeerCall<Schema>): Promise<z.output<Schema>> {
    const [route = call.path] = call.path.split('?');
    this.#toldToWait.requireOver(route);
    const { urls, health } = this.#options;
    const askedAt = this.#clock.now();
    const { method, requestId = randomUUID() } = call;
    const within = context.active();
    const ask = (url: URL, signal: AbortSignal): Promise<z.output<Schema>> =>
      withinSpan(this.#tracer, askingSpan(url, { method, route, requestId }), () =>
        this.#ask(url, call, { requestId, signal }),
      );
    this.#hedges.earn();
    try {
      return await firstAnswer({
        candidates: health?.inOrder(urls) ?? urls,
        // Whatever rings for the next one, it is asked for the same caller.
        ask: (url, signal) => context.with(within, () => ask(url, signal)),
        isFinal: (failure) => call.signal?.aborted === true || isFinal(failure),
        timer: this.#timer,
        ...(call.isHedged && { hedge: { afterMs: HEDGE_AFTER_MS, isAllowed: () => this.#hedges.spend() } }),
        onOvertaken: (url) => health?.failed(url, new Error('another answered sooner, though asked later'), askedAt),
      });
    } catch (error) {
      if (!(error instanceof KeydError)) throw new KeydError('parent-unavailable', { cause: error });
      const { code, retryAfterSeconds } = error;
      if (code === 'too-many-requests' && retryAfterSeconds) this.#toldToWait.told(route, retryAfterSeconds);
      throw error;
    }
  }

  async #ask<Schema extends z.ZodType>(
    url: URL,
    call: PeerCall<Schema>,
    { requestId, signal }: { readonly requestId: string; readonly signal: AbortSignal },
  ): Promise<z.output<Schema>> {
    const { dispatcher, health, timeoutMs = DEFAULT_TIMEOUT_MS, mostBytes = DEFAULT_MOST_BYTES } = this.#options;
    const askedAt = this.#clock.now();
    const request: PeerRequest<Schema> = {
      method: call.method,
      path: call.path,
      answer: call.answer,
      ...(call.otherForm && { otherForm: call.otherForm }),
      body: call.body === undefined ? undefined : JSON.stringify(call.body),
      requestId,
      timeoutMs: call.timeoutMs ?? timeoutMs,
      withinMs: call.withinMs ?? DEFAULT_WITHIN_MS,
      mostBytes: call.mostBytes ?? mostBytes,
      signal: call.signal ? AbortSignal.any([signal, call.signal]) : signal,
    };
    try {
      const answered = await requestOf(url, request, { dispatcher, timer: this.#timer });
      health?.answered(url);
      return answered;
    } catch (error) {
      const isOurs = signal.aborted || call.signal?.aborted === true;
      if (!isOurs) this.#judge(url, error, askedAt);
      throw error;
    }
  }

  #judge(url: URL, failure: unknown, askedAt: number): void {
    const { health } = this.#options;
    if (!(failure instanceof PeerRefusal)) {
      health?.failed(url, failure, askedAt);
      return;
    }
    health?.answered(url);
    if (FAULTS.has(failure.code)) health?.failed(url, failure, askedAt);
    else if (failure.statusCode >= 500) health?.doubted(url);
  }
}

/** A refusal of the request is every peer's; an outage, a lie or a wrong clock is one's own. */
function isFinal(failure: unknown): boolean {
  if (!(failure instanceof PeerRefusal) || failure.statusCode >= 500) return false;
  return failure.code !== MISSING && !FAULTS.has(failure.code);
}
