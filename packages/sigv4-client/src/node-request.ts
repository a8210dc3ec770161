import { request as requestOverHttp, type Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as requestOverHttps, type RequestOptions as TlsRequestOptions } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Body } from './body.js';
import { describedHeaders, statedLength, type HeaderPair } from './message-headers.js';
import { preparePayload, type PayloadRules } from './prepared-payload.js';
import { headFor, type RequestSigner, type SignedMessage } from './request-signer.js';

/** Options of `node:https`' request that are passed on as they are. */
type PassedOn = Pick<
  TlsRequestOptions,
  'agent' | 'ca' | 'cert' | 'key' | 'family' | 'lookup' | 'rejectUnauthorized' | 'servername' | 'signal' | 'timeout'
>;

export interface NodeRequestOptions extends PassedOn {
  readonly agent?: Agent | boolean;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Body | null;
  /** Told what each request is sent with, right before it is sent. */
  readonly onSending?: (head: SentHead) => void;
}

/** The head of a request as it is sent, signature included. */
export interface SentHead {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly HeaderPair[];
}

/** Sends a signed request with node:http or node:https and resolves to the answer, whose body is not read yet. */
export async function requestSigned(
  url: URL,
  { method = 'GET', headers = {}, body, onSending, ...passedOn }: NodeRequestOptions,
  signer: RequestSigner,
  rules: PayloadRules,
): Promise<IncomingMessage> {
  const given = Object.entries(headers).flatMap(pairsOf);
  const payload = await preparePayload(body, rules, statedLength(given));
  const head = headFor(method, url, describedHeaders(given, payload));
  const send = async (): Promise<IncomingMessage> => {
    const message = await signer.sign(head, payload);
    const sent = [...message.headers, ...framing(message, method)];
    onSending?.({ method, target: head.target, headers: sent });
    const options = { ...passedOn, method, headers: sent.flat(), setHost: false };
    const request = url.protocol === 'https:' ? requestOverHttps(url, options) : requestOverHttp(url, options);
    return answerTo(request, message);
  };
  const answer = await send();
  const header = (name: string): string => String(answer.headers[name] ?? '');
  if (!signer.clock.learnFrom(answer.statusCode ?? 0, header) || !payload.isReplayable) return answer;
  answer.resume();
  return send();
}

function answerTo(request: ClientRequest, { body }: SignedMessage): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('response', resolve);
    request.on('error', reject);
    if (body === null || body instanceof Uint8Array) {
      request.end(body ?? undefined);
      return;
    }
    const source = body instanceof Readable ? body : Readable.fromWeb(body.stream());
    // Heard first: what breaks off the body is the cause, and the end of the connection only what came of it.
    source.once('error', reject);
    // A server may answer, and close, before it has read all: then its answer counts.
    pipeline(source, request).catch(() => undefined);
  });
}

function framing({ length }: SignedMessage, method: string): readonly HeaderPair[] {
  if (length === undefined) return [['transfer-encoding', 'chunked']];
  return length === 0 && (method === 'GET' || method === 'HEAD') ? [] : [['content-length', String(length)]];
}

function pairsOf([name, value]: readonly [string, string | readonly string[]]): readonly HeaderPair[] {
  return typeof value === 'string' ? [[name, value]] : value.map((one): HeaderPair => [name, one]);
}
