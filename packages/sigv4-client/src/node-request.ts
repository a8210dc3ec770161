import { request as requestOverHttp, type Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as requestOverHttps, type RequestOptions as TlsRequestOptions } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Body } from './body.js';
import { preparePayload, type PayloadRules, type PreparedPayload } from './prepared-payload.js';
import { headFor, type HeaderPair, type RequestSigner } from './request-signer.js';

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
}

/** Sends a signed request with node:http or node:https and resolves to the answer, whose body is not read yet. */
export async function requestSigned(
  url: URL,
  { method = 'GET', headers = {}, body, ...passedOn }: NodeRequestOptions,
  signer: RequestSigner,
  rules: PayloadRules,
): Promise<IncomingMessage> {
  const payload = await preparePayload(body, rules);
  const given = [...Object.entries(headers).flatMap(pairsOf), ...framing(payload, method)];
  const type: readonly HeaderPair[] =
    payload.contentType === undefined || given.some(([name]) => name.toLowerCase() === 'content-type')
      ? []
      : [['content-type', payload.contentType]];
  const head = headFor(method, url, [...given, ...type]);
  const send = async (): Promise<IncomingMessage> => {
    const signed = await signer.signedHeaders(head, payload.signing);
    const options = { ...passedOn, method, headers: signed.flat(), setHost: false };
    const request = url.protocol === 'https:' ? requestOverHttps(url, options) : requestOverHttp(url, options);
    return answerTo(request, payload);
  };
  const answer = await send();
  const header = (name: string): string => String(answer.headers[name] ?? '');
  if (!signer.clock.learnFrom(answer.statusCode ?? 0, header) || !payload.isReplayable) return answer;
  answer.resume();
  return send();
}

function answerTo(request: ClientRequest, payload: PreparedPayload): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('response', resolve);
    request.on('error', reject);
    const body = payload.open();
    if (body === null || body instanceof Uint8Array) request.end(body ?? undefined);
    // What breaks off the body breaks off the request, which says so; a server may answer before it has read all.
    else pipeline(body instanceof Readable ? body : Readable.fromWeb(body.stream()), request).catch(() => undefined);
  });
}

function framing({ length }: PreparedPayload, method: string): readonly HeaderPair[] {
  if (length === undefined) return [['transfer-encoding', 'chunked']];
  return length === 0 && (method === 'GET' || method === 'HEAD') ? [] : [['content-length', String(length)]];
}

function pairsOf([name, value]: readonly [string, string | readonly string[]]): readonly HeaderPair[] {
  return typeof value === 'string' ? [[name, value]] : value.map((one): HeaderPair => [name, one]);
}
