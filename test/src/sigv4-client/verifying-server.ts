import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { sigv4Handler, staticSecrets, type Sigv4Options } from '@sigv4-keyd/sigv4-server';
import type { Test } from 'tap';

export const ACCESS_KEY_ID = 'AKIACLIENTTEST';
export const SECRET = 'a-secret-of-the-client-tests';
export const CREDENTIALS = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET };
export const SCOPE = { region: 'eu-west-1', service: 's3' };

export interface Received {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that verifies what it is sent, by our own handler, and keeps what it was sent. */
export class VerifyingServer {
  /** What was accepted. */
  readonly received: Received[] = [];
  /** The headers of every request that arrived, accepted or not. */
  readonly arrived: IncomingHttpHeaders[] = [];
  readonly origin: string;
  /** How accepted requests are answered. */
  answer: Answer = (_request, response) => response.end('served');
  /** Takes the place of the verification for what it returns true for. */
  before: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;

  private constructor(origin: string) {
    this.origin = origin;
  }

  static async start(t: Test, options: Partial<Sigv4Options> = {}): Promise<VerifyingServer> {
    const http = createServer((request, response) => serve(request, response));
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    t.teardown(() => {
      http.closeAllConnections();
      http.close();
    });
    const host = `127.0.0.1:${(http.address() as AddressInfo).port}`;
    const server = new VerifyingServer(`http://${host}`);
    const keys = staticSecrets({ [ACCESS_KEY_ID]: SECRET }, SCOPE);
    const handler = sigv4Handler({ keys, hosts: [host], ...options });
    const serve: Answer = (request, response) => {
      server.arrived.push(request.headers);
      if (server.before(request, response)) return;
      handler(request, response, () => {
        void buffer(request).then((body) => {
          const { method = '', url = '', headers } = request;
          server.received.push({ method, target: url, headers, body });
          server.answer(request, response);
        });
      });
    };
    return server;
  }

  get last(): Received {
    const last = this.received.at(-1);
    if (!last) throw new Error('nothing was accepted');
    return last;
  }
}
