import type { IncomingMessage } from 'node:http';
import type { Refusal } from '@sigv4-keyd/sigv4-answers';
import type { Examined } from '@sigv4-keyd/sigv4-core';
import { connectionOptions } from './hop-by-hop.js';

/** What is not proxied whoever signed it: two readings of the body's length, and what is no plain request. */
export function checkMessage({ method, headers, httpVersion }: IncomingMessage): Refusal | undefined {
  if (method === 'CONNECT' || method === 'TRACE') return { reason: 'method-refused' };
  if (headers.upgrade !== undefined) return { reason: 'upgrade-refused' };
  const encoding = headers['transfer-encoding'];
  if (encoding === undefined) return undefined;
  // RFC 9112, 6.1: a chunked request of HTTP/1.0, and one that also states its length, are signs of smuggling.
  const chunkedAlone = encoding.toLowerCase() === 'chunked' && headers['content-length'] === undefined;
  return chunkedAlone && httpVersion === '1.1' ? undefined : { reason: 'ambiguous-length' };
}

/** Headers named in Connection end here; a signed one would be verified, and then not be served. */
export function checkConnectionOptions(
  request: IncomingMessage,
  { signedHeaders }: Pick<Examined, 'signedHeaders'>,
): Refusal | undefined {
  const named = connectionOptions(request.rawHeaders);
  const lost = signedHeaders.find((name) => named.has(name));
  return lost === undefined ? undefined : { reason: 'connection-names-signed-header', detail: lost };
}
