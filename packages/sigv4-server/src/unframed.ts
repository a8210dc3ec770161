import type { IncomingMessage } from 'node:http';
import { withoutAwsChunked } from '@sigv4-keyd/sigv4-core';

const OF_THE_FRAMING = ['x-amz-content-sha256', 'x-amz-decoded-content-length', 'x-amz-trailer'];

/** Lets the headers speak of the body as it is read now: its data, without the framing of the chunks it came in. */
export function describeUnframed({ headers }: IncomingMessage, length: number): void {
  for (const name of OF_THE_FRAMING) Reflect.deleteProperty(headers, name);
  if (headers['content-length'] !== undefined) headers['content-length'] = String(length);
  const encoding = withoutAwsChunked(headers['content-encoding'] ?? '');
  if (encoding === undefined) Reflect.deleteProperty(headers, 'content-encoding');
  else headers['content-encoding'] = encoding;
}
