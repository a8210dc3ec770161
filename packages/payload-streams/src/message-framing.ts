import type { IncomingMessage } from 'node:http';

/**
 * Whether everyone who reads this message finds the same end of its body. RFC 9112, 6.1: a chunked request of HTTP/1.0,
 * one that also states its length, and codings beside chunked are signs of smuggling.
 */
export function isFramedInOneWay({ headers, httpVersion }: Pick<IncomingMessage, 'headers' | 'httpVersion'>): boolean {
  const encoding = headers['transfer-encoding'];
  if (encoding === undefined) return true;
  const isChunkedAlone = encoding.toLowerCase() === 'chunked' && headers['content-length'] === undefined;
  return isChunkedAlone && httpVersion === '1.1';
}
