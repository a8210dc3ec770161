import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '@sigv4-keyd/hop-protocol';
import type { Answer } from '@sigv4-keyd/sigv4-answers';

/** Unread bodies up to this size, bytes, are read and dropped, so that the connection can be kept. */
const DROPPED_BODY_BYTES = 64 * 1024;
/** How long a client that still sends its body may take to notice the answer, milliseconds. */
const LINGER_MS = 2_000;

/**
 * Answers a request whose body may not have been read. Closing at once would reset the connection under a client that
 * still sends, and the client would lose the answer: so the answer goes out, and what still comes is dropped a while.
 */
export function sendAnswer(request: IncomingMessage, response: ServerResponse, answer: Answer, clock: Clock): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const headers = [...answer.headers, 'content-length', String(answer.body.length)];
  response.writeHead(answer.status, lingers(request) ? [...headers, 'connection', 'close'] : headers);
  if (request.method === 'HEAD') endAnswer(request, response, clock);
  else endAnswer(request, response, clock, answer.body);
}

/** Whether whoever is answered now is about to send more of a body than is worth waiting for. */
export function lingers(request: IncomingMessage): boolean {
  return !request.complete && !isShort(request);
}

/** Ends an answer with its last bytes, and drops what still comes of the request; where that is much, for a while. */
export function endAnswer(request: IncomingMessage, response: ServerResponse, clock: Clock, last?: Buffer): void {
  if (!request.complete) request.resume();
  if (!lingers(request)) {
    response.end(last);
    return;
  }
  if (last === undefined) response.flushHeaders();
  else response.write(last);
  const end = (): void => {
    cancel();
    response.end();
  };
  const cancel = clock.after(LINGER_MS, end);
  request.once('end', end);
  response.once('close', end);
}

/** Answers on the bare socket what could not be read as a request, and ends it. */
export function endWithAnswer(socket: Duplex, { status, headers, body }: Answer): void {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`];
  for (let at = 0; at < headers.length; at += 2) lines.push(`${headers[at] ?? ''}: ${headers[at + 1] ?? ''}`);
  lines.push(`content-length: ${body.length}`, 'connection: close', '', '');
  socket.end(Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), body]), () => socket.destroy());
}

function isShort({ headers }: IncomingMessage): boolean {
  // A client that waits for "100 Continue" sends nothing after a final answer, or everything: Node cannot tell.
  if (headers.expect !== undefined || headers['transfer-encoding'] !== undefined) return false;
  return Number(headers['content-length'] ?? 0) <= DROPPED_BODY_BYTES;
}
