import { NO_PAYLOAD, type PreparedPayload } from './prepared-payload.js';
import type { HeaderPair } from './message-headers.js';
import { SigningError } from './signing-error.js';

/** One request of a chain of redirects. */
export interface Hop {
  readonly method: string;
  readonly url: URL;
  readonly headers: readonly HeaderPair[];
  readonly payload: PreparedPayload;
  readonly isSigned: boolean;
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const ABOUT_THE_BODY: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-type',
]);
const FOR_THE_ORIGIN = /^(?:authorization|cookie|host|proxy-authorization|x-amz-.*)$/;

/**
 * The request that follows an answer, by the rules of fetch; undefined when it is no redirect. What leaves the origin
 * goes without signature, session token and customer keys, and what comes back is not signed again: else any host could
 * have us sign a request of its choice.
 */
export function redirected(hop: Hop, answer: Response): Hop | undefined {
  const location = answer.headers.get('location');
  if (!REDIRECTS.has(answer.status) || location === null) return undefined;
  const url = new URL(location, hop.url);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new TypeError(`a redirect to ${url.protocol}`);
  url.hash = '';
  const stays = url.origin === hop.url.origin;
  const isSigned = hop.isSigned && stays;
  const headers = stays ? hop.headers : hop.headers.filter(([name]) => !FOR_THE_ORIGIN.test(name.toLowerCase()));
  if (!becomesGet(hop.method, answer.status)) {
    if (!hop.payload.isReplayable) throw new SigningError('not-replayable', `redirected to ${url.origin}`);
    return { ...hop, url, headers, isSigned };
  }
  return {
    method: 'GET',
    url,
    headers: headers.filter(([name]) => !ABOUT_THE_BODY.has(name.toLowerCase())),
    payload: NO_PAYLOAD,
    isSigned,
  };
}

function becomesGet(method: string, status: number): boolean {
  if (status === 303) return method !== 'GET' && method !== 'HEAD';
  return method === 'POST' && (status === 301 || status === 302);
}
