import { endToEndHeaders } from './hop-by-hop.js';

const REQUEST_ID = 'x-amz-request-id';

/** The upstream's headers for the client, as name, value, name, value; with a request id where it gave none. */
export function answerHeaders(rawHeaders: readonly string[], requestId: string): string[] {
  const headers = endToEndHeaders(rawHeaders);
  for (let at = 0; at < headers.length; at += 2) if (headers[at]?.toLowerCase() === REQUEST_ID) return headers;
  headers.push(REQUEST_ID, requestId);
  return headers;
}
