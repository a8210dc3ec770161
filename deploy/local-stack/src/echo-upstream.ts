#!/usr/bin/env node
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';

/** An upstream that answers with what it got, so that anyone can see what an edge lets through. */
async function echo(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const hash = createHash('sha256');
  let length = 0;
  await pipeline(request, async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      length += chunk.length;
      hash.update(chunk);
    }
  });
  const sha256 = hash.digest('hex');
  const { method, url: target, headers } = request;
  const echoed = `${JSON.stringify({ method, target, headers, body: { length, sha256 } }, undefined, 2)}\n`;
  const body = awaitsObjectStore(request) ? '' : echoed;
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    // Object clients show these two.
    etag: `"${sha256.slice(0, 32)}"`,
    'x-amz-meta-verified-access-key': headers['x-keyd-access-key-id'] ?? 'none',
  });
  response.end(method === 'HEAD' ? undefined : body);
}

/** An object store answers a write without a body, and SDKs take any other for an error. They ask for no media type. */
function awaitsObjectStore({ method, headers }: IncomingMessage): boolean {
  const isWrite = method === 'PUT' || method === 'DELETE';
  return isWrite && headers['x-keyd-service'] === 's3' && headers.accept === undefined;
}

const server = createServer((request, response) => {
  // A client that goes away in the middle of its body is no news here.
  echo(request, response).catch(() => response.destroy());
});
const [host, port] = (process.env['KEYD_LISTEN'] ?? '127.0.0.1:7471').split(':');
server.listen(Number(port), host);
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
