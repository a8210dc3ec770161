import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { serverTlsOptions } from '@sigv4-keyd/fastify-mtls';
import { READY_PATH } from '@sigv4-keyd/hop-protocol';
import type { Test } from 'tap';
import type { TestAuthority } from '../support/certificates.js';

/** What a parent does with a request whose body was read. */
export type Oddity = (response: ServerResponse, body: string, request: IncomingMessage) => unknown;

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Oddity {
  return (response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

export function refusal(status: number, code: string, headers: Readonly<Record<string, string>> = {}): Oddity {
  return json(status, { error: { code, message: 'a message', requestId: 'request-1' } }, headers);
}

/** A real mTLS server with the certificate of a region that answers whatever a test wants. */
export class OddParent {
  readonly url: URL;
  /** How the key route, and every other, answers. */
  answer: Oddity;
  ready: Oddity = (response) => response.writeHead(204).end();
  /** Requests to routes, and to `/v1/ready`. */
  asked = 0;
  probed = 0;
  readonly #server: Server;

  private constructor(server: Server, answer: Oddity) {
    this.#server = server;
    this.answer = answer;
    this.url = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void this.#take(request, response));
  }

  static async start(t: Test, authority: TestAuthority, answer: Oddity): Promise<OddParent> {
    const credentials = await authority.credentials({ role: 'region', region: 'eu-west-1', name: 'r1' });
    const server = createServer(serverTlsOptions(credentials.current));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => {
      server.closeAllConnections();
      server.close();
    });
    return new OddParent(server, answer);
  }

  /** As a process that was killed. */
  kill(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    if (request.url === READY_PATH) {
      this.probed += 1;
      this.ready(response, body, request);
      return;
    }
    this.asked += 1;
    this.answer(response, body, request);
  }
}
