import { Readable } from 'node:stream';
import { preparePayload, type PayloadRules, type PreparedPayload } from './prepared-payload.js';
import { redirected, type Hop } from './redirect.js';
import { headFor, type HeaderPair, type RequestSigner } from './request-signer.js';
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
  const payload = await preparePayload(body ?? request.body, rules);
  let hop: Hop = {
    method: request.method,
    url: withoutFragment(request.url),
    headers: headersOf(request, typeof body === 'string' ? TEXT : payload.contentType),
    payload,
    isSigned: true,
  };
  const send = async (): Promise<Response> => {
    const { method, url, payload: sent } = hop;
    const headers = hop.isSigned
      ? await signer.signedHeaders(headFor(method, url, hop.headers), sent.signing)
      : hop.headers;
    const { signal } = request;
    return fetch(url, {
      ...rest,
      method,
      headers: pairs(headers),
      signal,
      redirect: redirectFor(request),
      ...bodyOf(sent),
    });
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

function redirectFor({ redirect }: Request): Request['redirect'] {
  return redirect === 'follow' ? 'manual' : redirect;
}

function withoutFragment(text: string): URL {
  const url = new URL(text);
  url.hash = '';
  return url;
}

function headersOf({ headers }: Request, contentType: string | undefined): readonly HeaderPair[] {
  const all: HeaderPair[] = [...headers];
  return contentType === undefined || headers.has('content-type') ? all : [...all, ['content-type', contentType]];
}

function pairs(headers: readonly HeaderPair[]): [string, string][] {
  return headers.map(([name, value]) => [name, value]);
}

function bodyOf(payload: PreparedPayload): RequestInit {
  const body = payload.open();
  return body instanceof Readable ? { body, duplex: 'half' } : { body };
}
