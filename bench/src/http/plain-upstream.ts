import { createServer } from 'node:http';
import { createHealthApp } from '@sigv4-keyd/service-skeleton';
import { serverSettings } from './settings.js';

/** What both proxies have behind them: reads every body, and answers a kilobyte. */
const { BENCH_PORT, BENCH_HEALTH_PORT } = serverSettings.parse(process.env);
const page = Buffer.alloc(1024, 'a page ');
const server = createServer((request, response) => {
  request.resume();
  request.once('end', () => {
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': page.length }).end(page);
  });
});
server.listen(BENCH_PORT, '127.0.0.1');
await createHealthApp({ notReady: () => [], status: () => ({}) }).listen({
  host: '127.0.0.1',
  port: BENCH_HEALTH_PORT,
});
