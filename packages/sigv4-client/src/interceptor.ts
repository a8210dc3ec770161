import { stringify } from 'node:querystring';
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { headerPairs } from './dispatch-headers.js';
import { neverSent } from './never-sent.js';
import { describedHeaders, statedLength } from './message-headers.js';
import { preparePayload, type PayloadRules } from './prepared-payload.js';
import type { RequestSigner } from './request-signer.js';
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
    const given = headerPairs(options.headers);
    const payload = await preparePayload(options.body, rules, statedLength(given));
    const head = { method: options.method, target: path, host, headers: describedHeaders(given, payload) };
    const send = async (next: Handler): Promise<void> => {
      const { headers, body, length } = await signer.sign(head, payload);
      const stream = body instanceof Blob ? Readable.fromWeb(body.stream()) : body;
      // undici knows the length of bytes alone.
      const framing = stream instanceof Readable && length !== undefined ? ['content-length', String(length)] : [];
      dispatch({ ...rest, path, headers: [...headers.flat(), ...framing], body: stream }, next);
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
