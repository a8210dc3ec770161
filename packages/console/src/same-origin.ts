import { CONSOLE_HEADER } from './addresses.js';

/** The parts of a request that tell which page made it. */
export interface BrowserRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

const READING: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/**
 * Browsers send client certificates and cookies along with whatever any page asks for: so where a request comes from a
 * browser, the page must be ours. Undefined when it may pass; otherwise why not, in words. `isOwnHost` keeps out names
 * that somebody else has pointed at us (DNS rebinding): to the browser, such a page would be of the same origin.
 */
export function whyRefused(
  { method, headers }: BrowserRequest,
  { scheme, isOwnHost }: { readonly scheme: 'http' | 'https'; readonly isOwnHost: (host: string) => boolean },
): string | undefined {
  const { origin, host, 'sec-fetch-site': site } = headers;
  if (typeof host !== 'string' || !isOwnHost(host)) return 'the Host is not ours';
  if (origin !== undefined && origin !== `${scheme}://${host}`) return 'the Origin is another';
  const isReading = READING.has(method);
  // 'none': a person typed the address.
  if (site !== undefined && site !== 'same-origin' && !(site === 'none' && isReading))
    return 'Sec-Fetch-Site is another';
  if (isReading) return undefined;
  if (headers[CONSOLE_HEADER] === undefined) return `${CONSOLE_HEADER} is missing`;
  return isJson(headers['content-type']) ? undefined : 'the body is not JSON';
}

function isJson(type: string | string[] | undefined): boolean {
  const [media = ''] = String(type).split(';');
  return media.trim().toLowerCase() === 'application/json';
}
