import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fastifySigv4, sigv4Handler, staticSecrets, type Sigv4Options } from '@sigv4-keyd/sigv4-server';
import express from 'express';
import Fastify from 'fastify';
import type { Test } from 'tap';
import { ACCESS_KEY_ID, HOST, NOW, SECRET } from '../edge-verifier/client.js';

/** What an application saw of a request that reached it. */
export interface Seen {
  readonly accessKeyId: string;
  readonly body: string;
}

export interface Site {
  /** HOST:PORT */
  readonly address: string;
  /** What reached the application, in order. */
  readonly seen: Seen[];
}

export type Build = (options: Sigv4Options, seen: Seen[]) => Promise<Server> | Server;

/** A Fastify app with its own parsers: JSON is parsed, all else is kept as text. */
const fastifySite: Build = async (options, seen) => {
  const app = Fastify();
  await app.register(fastifySigv4, options);
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.all('/*', (request) => {
    const body = typeof request.body === 'string' ? request.body : JSON.stringify(request.body ?? null);
    seen.push({ accessKeyId: request.sigv4.accessKeyId, body });
    return { seen: seen.length };
  });
  await app.ready();
  return app.server;
};

/** An Express app: the handler before its parsers, below a path of its own. */
const expressSite: Build = (options, seen) => {
  const app = express();
  const handler = sigv4Handler(options);
  const api = express.Router();
  api.use((request, response, next) => handler(request, response, next));
  api.use(express.json(), express.text({ type: () => true }));
  api.use((request, response) => {
    const { sigv4 } = request as { sigv4?: { accessKeyId: string } };
    const body: unknown = request.body;
    seen.push({
      accessKeyId: sigv4?.accessKeyId ?? '',
      body: typeof body === 'string' ? body : JSON.stringify(body ?? null),
    });
    response.json({ seen: seen.length });
  });
  app.use('/api', api);
  app.use('/', api);
  return createServer(app);
};

/** node:http alone, reading the body itself. */
const nodeSite: Build = (options, seen) => {
  const handler = sigv4Handler(options);
  return createServer((request: Parameters<typeof handler>[0], response) => {
    handler(request, response, () => {
      void text(request).then((body) => {
        seen.push({ accessKeyId: request.sigv4?.accessKeyId ?? '', body: body === '' ? 'null' : body });
        response.end(JSON.stringify({ seen: seen.length }));
      });
    });
  });
};

/** The same application behind each front. */
export const SITES = { fastifySite, expressSite, nodeSite };

/** Static keys as the clients of the edge's tests sign with them. */
export function knownKeys(service = 's3'): Sigv4Options['keys'] {
  return staticSecrets({ [ACCESS_KEY_ID]: SECRET }, { region: 'eu-west-1', service });
}

/** Starts a site, closed when the test ends. */
export async function startSite(t: Test, build: Build, options: Partial<Sigv4Options> = {}): Promise<Site> {
  const seen: Seen[] = [];
  const server = await build({ keys: knownKeys(), hosts: [HOST], now: () => NOW, ...options }, seen);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}
