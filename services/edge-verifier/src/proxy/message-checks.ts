import type { IncomingMessage } from 'node:http';
import { isFramedInOneWay } from '@sigv4-keyd/payload-streams';
import type { Refusal } from '@sigv4-keyd/sigv4-answers';
import type { Examined } from '@sigv4-keyd/sigv4-core';
import { connectionOptions } from './hop-by-hop.js';

/** What is not served whoever signed it: two readings of the body's length, and what is no plain request. */
export function checkMessage(
  message: Pick<IncomingMessage, 'method' | 'headers' | 'httpVersion'>,
): Refusal | undefined {
  const { method, headers } = message;
  if (method === 'CONNECT' || method === 'TRACE') return { reason: 'method-refused' };
  if (headers.upgrade !== undefined) return { reason: 'upgrade-refused' };
  return isFramedInOneWay(message) ? undefined : { reason: 'ambiguous-length' };
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
