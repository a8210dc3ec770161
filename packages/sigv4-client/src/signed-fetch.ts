import { Readable } from 'node:stream';
import { preparePayload, type PayloadRules } from './prepared-payload.js';
import { redirected, type Hop } from './redirect.js';
import { describedHeaders, statedLength, type HeaderPair } from './message-headers.js';
import { headFor, type RequestSigner, type SignedMessage } from './request-signer.js';
import { SigningError } from './signing-error.js';

export interface FetchSurroundings {
  readonly signer: RequestSigner;
  readonly rules: PayloadRules;
  readonly fetch: typeof fetch;
}

const MOST_REDIRECTS = 20;
const TEXT = 'text/plain;charset=UTF-8';

/** fetch, signed. A redirect within the origin is signed anew; one that leaves it goes on without any signature. */
export async function signedFetch(
  input: string | URL | Request,
  init: RequestInit,
  { signer, rules, fetch }: FetchSurroundings,
): Promise<Response> {
  const { body, ...rest } = init;
  // Without the body: a Request would begin to read a stream, and would hide what the body was made of.
  const request = new Request(input, rest);
  const given: readonly HeaderPair[] = [...request.headers];
  const payload = await preparePayload(body ?? request.body, rules, statedLength(given));
  const contentType = typeof body === 'string' ? TEXT : payload.contentType;
  let hop: Hop = {
    method: request.method,
    url: withoutFragment(request.url),
    headers: describedHeaders(given, contentType === undefined ? {} : { contentType }),
    payload,
    isSigned: true,
  };
  const send = async (): Promise<Response> => {
    const { method, url, headers, payload: sent, isSigned } = hop;
    const message: SignedMessage = isSigned
      ? await signer.sign(headFor(method, url, headers), sent)
      : { headers, body: sent.open(), length: sent.length };
    const redirect = request.redirect === 'follow' ? 'manual' : request.redirect;
    return fetch(url, { ...rest, method, signal: request.signal, redirect, ...messageInit(message) });
  };
  for (let redirects = 0; ; redirects += 1) {
    let response = await send();
    const header = (name: string): string | null => response.headers.get(name);
    if (hop.isSigned && signer.clock.learnFrom(response.status, header) && hop.payload.isReplayable) {
      await response.body?.cancel();
      response = await send();
    }
    const next = request.redirect === 'follow' ? redirected(hop, response) : undefined;
    if (next === undefined) return response;
    await response.body?.cancel();
    if (redirects === MOST_REDIRECTS) throw new SigningError('too-many-redirects', hop.url.origin);
    hop = next;
  }
}

function withoutFragment(text: string): URL {
  const url = new URL(text);
  url.hash = '';
  return url;
}

/** fetch knows the length of all bodies but streams. */
function messageInit({ headers, body, length }: SignedMessage): RequestInit {
  const pairs = headers.map(([name, value]): [string, string] => [name, value]);
  if (!(body instanceof Readable)) return { headers: pairs, body };
  if (length !== undefined) pairs.push(['content-length', String(length)]);
  return { headers: pairs, body, duplex: 'half' };
}
