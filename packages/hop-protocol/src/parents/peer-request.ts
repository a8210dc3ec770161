import type { Dispatcher } from 'undici';
import type { z } from 'zod';
import { parseJson, readBounded } from '../bounded-body.js';
import type { Cancel, Clock } from '../clock.js';
import { KeydError } from '../errors.js';
import { errorAnswer } from '../schemas.js';
import { noteStatus, withTraceparent } from '../tracing/asking-span.js';

export interface PeerRequest<Schema extends z.ZodType> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  /** JSON text. */
  readonly body: string | undefined;
  readonly requestId: string;
  /** What a good answer looks like; any other is the peer's failure. */
  readonly answer: Schema;
  readonly otherForm?: OtherForm<z.output<Schema>>;
  /** Until the answer begins, milliseconds. */
  readonly timeoutMs: number;
  /** Until the answer is whole, milliseconds: whoever sends a byte now and then ends there. */
  readonly withinMs: number;
  /** The largest answer that is read, bytes. */
  readonly mostBytes: number;
  readonly signal: AbortSignal;
}

/** A form of a good answer beside JSON. */
export interface OtherForm<Answer> {
  /** The media type. */
  readonly type: string;
  /** The whole Accept, with JSON in it. */
  readonly accept: string;
  /** What it rejects with is the peer's failure. */
  readonly read: (body: Buffer) => Promise<Answer>;
}

/** An answer of the closed set of errors: the peer can be reached, and refuses or cannot. */
export class PeerRefusal extends KeydError {}

/** The longest wait that a peer can ask for, seconds: to the end of its day. */
const LONGEST_RETRY_AFTER = 86_400;

/**
 * One request to one peer. Rejects with PeerRefusal for an error that it answered, and with any other error when there
 * was no answer, or none that can be believed: redirects, other types, other forms, too large, cut off.
 */
export async function requestOf<Schema extends z.ZodType>(
  url: URL,
  request: PeerRequest<Schema>,
  { dispatcher, timer }: { readonly dispatcher: Dispatcher; readonly timer: Clock },
): Promise<z.output<Schema>> {
  const late = new AbortController();
  const abortAfter = (ms: number, what: string): Cancel =>
    timer.after(ms, () => late.abort(new Error(`${what} within ${ms} ms`)));
  const cancelStart = abortAfter(request.timeoutMs, 'no answer');
  const cancelWhole = abortAfter(request.withinMs, 'no whole answer');
  try {
    const signal = AbortSignal.any([request.signal, late.signal]);
    const answer = await begunAnswer(url, { ...request, signal }, dispatcher);
    cancelStart();
    noteStatus(answer.statusCode);
    return await readAnswer(url, request, answer);
  } finally {
    cancelStart();
    cancelWhole();
  }
}

function begunAnswer(
  url: URL,
  request: Omit<PeerRequest<z.ZodType>, 'answer' | 'otherForm'> & {
    readonly otherForm?: Pick<OtherForm<never>, 'accept'>;
  },
  dispatcher: Dispatcher,
): Promise<Dispatcher.ResponseData> {
  return dispatcher.request({
    origin: url.origin,
    path: request.path,
    method: request.method,
    headers: withTraceparent({
      accept: request.otherForm?.accept ?? 'application/json',
      'x-request-id': request.requestId,
      ...(request.body !== undefined && { 'content-type': 'application/json' }),
    }),
    ...(request.body !== undefined && { body: request.body }),
    signal: request.signal,
    // The deadlines are ours.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

async function readAnswer<Schema extends z.ZodType>(
  url: URL,
  request: PeerRequest<Schema>,
  answer: Dispatcher.ResponseData,
): Promise<z.output<Schema>> {
  const bytes = await readBounded(answer.body, request.mostBytes);
  const { otherForm } = request;
  if (otherForm && answer.statusCode === 200 && answer.headers['content-type'] === otherForm.type) {
    return otherForm.read(bytes);
  }
  const body = jsonOf(answer, bytes);
  if (answer.statusCode >= 400) throw refusalOf(answer, body);
  // Who redirects wants us to ask somebody whom nobody configured.
  if (answer.statusCode >= 300) throw new Error(`HTTP status ${answer.statusCode}: redirects are not followed`);
  const parsed = request.answer.safeParse(body);
  if (parsed.success) return parsed.data;
  const [path] = request.path.split('?');
  throw new Error(`${url.host} answered ${path ?? ''} in another form`, { cause: parsed.error });
}

/** Overwrites the bytes: an answer may carry keys. */
function jsonOf({ headers }: Dispatcher.ResponseData, bytes: Buffer): unknown {
  try {
    if (bytes.length > 0) requireJson(headers['content-type']);
    return parseJson(bytes);
  } finally {
    bytes.fill(0);
  }
}

function requireJson(type: string | string[] | undefined): void {
  const [media = ''] = String(type).split(';');
  if (media.trim().toLowerCase() !== 'application/json') throw new Error('the answer is not declared as JSON');
}

/** The error that an answer tells: PeerRefusal for one of the closed set, any other Error otherwise. */
export function refusalOf(
  { statusCode, headers }: Pick<Dispatcher.ResponseData, 'statusCode' | 'headers'>,
  body: unknown,
): Error {
  const parsed = errorAnswer.safeParse(body);
  if (!parsed.success) return new Error(`HTTP status ${statusCode} without a known error`);
  const { code, detail, requestId } = parsed.data.error;
  const retryAfterSeconds = secondsOf(headers['retry-after']);
  return new PeerRefusal(code, {
    ...(detail !== undefined && { detail }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    cause: new Error(`the peer refused request ${requestId}`),
  });
}

function secondsOf(retryAfter: string | string[] | undefined): number | undefined {
  if (typeof retryAfter !== 'string' || !/^\d{1,9}$/.test(retryAfter)) return undefined;
  return Math.min(LONGEST_RETRY_AFTER, Number(retryAfter));
}
