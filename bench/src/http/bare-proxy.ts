import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { createHealthApp } from '@sigv4-keyd/service-skeleton';
import { Pool } from 'undici';
import { serverSettings } from './settings.js';

/** The least that a proxy over undici does: it looks at nothing, and sends on all that it gets. */
const { BENCH_PORT, BENCH_HEALTH_PORT, BENCH_UPSTREAM } = serverSettings.parse(process.env);
const pool = new Pool(BENCH_UPSTREAM);

async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = 'GET', url: path = '/', rawHeaders } = request;
  const hasBody = request.headers['content-length'] !== undefined;
  const headers = rawHeaders.filter((_text, at) => rawHeaders[at - (at % 2)]?.toLowerCase() !== 'connection');
  const answer = await pool.request({ method, path, headers, body: hasBody ? request : null });
  response.writeHead(answer.statusCode, answer.headers);
  pipeline(answer.body, response, (error) => {
    if (error) response.destroy();
  });
}

const server = createServer((request, response) => {
  forward(request, response).catch(() => response.destroy());
});
server.listen(BENCH_PORT, '127.0.0.1');
await createHealthApp({ notReady: () => [], status: () => ({}) }).listen({
  host: '127.0.0.1',
  port: BENCH_HEALTH_PORT,
});
