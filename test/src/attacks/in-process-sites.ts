import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { ALGORITHMS, type SignatureKeySource, type VerifiableMode } from '@sigv4-keyd/sigv4-core';
import { fastifySigv4, sigv4Handler, staticSecrets, type Sigv4Options } from '@sigv4-keyd/sigv4-server';
import Fastify, { LogController } from 'fastify';
import type { Test } from 'tap';
import { ACCESS_KEY_ID, HOST, NOW, SECRET } from '../edge-verifier/client.js';

/** What an application saw of a request that reached it. */
export interface Seen {
  readonly accessKeyId: string;
  readonly target: string;
  readonly body: Buffer;
}

/** An application that verifies in process. */
export interface Site {
  readonly name: string;
  /** HOST:PORT */
  readonly address: string;
  readonly seen: Seen[];
  readonly log: string[];
}

export interface SiteOptions {
  /** By default static secrets. */
  readonly keys?: SignatureKeySource;
  readonly service?: string;
  readonly payloads?: readonly VerifiableMode[];
  /** The clock; by default it stands. */
  readonly now?: () => number;
  /** Beside the one that all have: secrets by access key id. */
  readonly moreSecrets?: Readonly<Record<string, string>>;
  readonly debugSignatures?: boolean;
  readonly sessionTokens?: 'refused';
}

/** Behind the Fastify plugin. */
export async function startFastifySite(t: Test, options: SiteOptions): Promise<Site> {
  const site = { name: 'Fastify plugin', seen: [] as Seen[], log: [] as string[] };
  const stream = { write: (line: string) => void site.log.push(line) };
  const app = Fastify({
    logger: { level: 'trace', stream },
    logController: new LogController({ disableRequestLogging: true }),
  });
  await app.register(fastifySigv4, sigv4Options(options));
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.all('/*', ({ sigv4, originalUrl: target, body }) => {
    site.seen.push({ accessKeyId: sigv4.accessKeyId, target, body: Buffer.isBuffer(body) ? body : Buffer.alloc(0) });
    return 'served';
  });
  await app.ready();
  return { ...site, address: await listening(t, app.server) };
}

/** Behind the handler for node:http. */
export async function startNodeSite(t: Test, options: SiteOptions): Promise<Site> {
  const site = { name: '(req, res, next) handler', seen: [] as Seen[], log: [] as string[] };
  const handler = sigv4Handler({
    ...sigv4Options(options),
    onRefused: (refusal, id) => site.log.push(JSON.stringify([refusal, id])),
  });
  const server = createServer((request: Parameters<typeof handler>[0], response) => {
    handler(request, response, () => {
      void buffer(request).then((body) => {
        site.seen.push({ accessKeyId: request.sigv4?.accessKeyId ?? '', target: request.url ?? '', body });
        response.end('served');
      });
    });
  });
  return { ...site, address: await listening(t, server) };
}

function sigv4Options({ service = 's3', payloads, now = () => NOW, ...more }: SiteOptions): Sigv4Options {
  const { moreSecrets = {}, debugSignatures = false, sessionTokens } = more;
  const secrets = { [ACCESS_KEY_ID]: SECRET, ...moreSecrets };
  const { keys = staticSecrets(secrets, { region: 'eu-west-1', service }) } = more;
  return {
    keys,
    hosts: [HOST, `*.${HOST}`],
    algorithms: ALGORITHMS,
    now,
    debugSignatures,
    ...(sessionTokens && { sessionTokens }),
    ...(payloads && { payloads }),
  };
}

async function listening(t: Test, server: Server): Promise<string> {
  // Longer than any pause of a test on a busy machine.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
