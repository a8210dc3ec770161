import { stringify } from 'node:querystring';
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { headerPairs } from './dispatch-headers.js';
import { neverSent } from './never-sent.js';
import { preparePayload, type PayloadRules, type PreparedPayload } from './prepared-payload.js';
import type { HeaderPair, RequestSigner } from './request-signer.js';
import { TimeLearner } from './time-learner.js';

export interface InterceptorSurroundings {
  readonly signer: RequestSigner;
  readonly rules: PayloadRules;
  /** Requests to all other origins pass as they are. */
  readonly origins: ReadonlySet<string>;
}

type Dispatch = Dispatcher['dispatch'];
type Options = Dispatcher.DispatchOptions;
type Handler = Dispatcher.DispatchHandler;

/**
 * Signs what passes. Interceptors that are composed after it (retry, redirect) wrap it, so that each of their attempts
 * is signed anew.
 */
export function signingInterceptor({ signer, rules, origins }: InterceptorSurroundings) {
  return (dispatch: Dispatch): Dispatch =>
    (options: Options, handler: Handler): boolean => {
      const origin = new URL(String(options.origin)).origin;
      if (!origins.has(origin)) return dispatch(options, handler);
      void sendSigned({ dispatch, options, handler, host: new URL(origin).host }, signer, rules);
      return true;
    };
}

interface Sending {
  readonly dispatch: Dispatch;
  readonly options: Options;
  readonly handler: Handler;
  readonly host: string;
}

async function sendSigned(
  { dispatch, options, handler, host }: Sending,
  signer: RequestSigner,
  rules: PayloadRules,
): Promise<void> {
  try {
    const { query, ...rest } = options;
    const path = query === undefined ? options.path : `${options.path}?${stringify(query)}`;
    const payload = await preparePayload(options.body, rules);
    const given = headerPairs(options.headers);
    const type: readonly HeaderPair[] =
      payload.contentType === undefined || given.some(([name]) => name.toLowerCase() === 'content-type')
        ? []
        : [['content-type', payload.contentType]];
    const head = { method: options.method, target: path, host, headers: [...given, ...type, ...lengthOf(payload)] };
    const send = async (next: Handler): Promise<void> => {
      const headers = (await signer.signedHeaders(head, payload.signing)).flat();
      const body = payload.open();
      dispatch({ ...rest, path, headers, body: body instanceof Blob ? Readable.fromWeb(body.stream()) : body }, next);
    };
    const again = payload.isReplayable ? () => void send(handler).catch(fail) : undefined;
    await send(again ? new TimeLearner(handler, signer.clock, again) : handler);
  } catch (error) {
    fail(error);
  }

  function fail(error: unknown): void {
    const reason = error instanceof Error ? error : new Error(String(error));
    handler.onResponseError?.(neverSent(reason), reason);
  }
}

/** The length of what is sent as a stream; undici knows that of bytes. */
function lengthOf({ open, length }: PreparedPayload): readonly HeaderPair[] {
  return open() instanceof Blob && length !== undefined ? [['content-length', String(length)]] : [];
}
