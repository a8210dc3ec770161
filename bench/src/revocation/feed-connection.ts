import { once } from 'node:events';
import { connect, type SecureContext, type TLSSocket } from 'node:tls';

export interface FeedAnswer {
  readonly status: number;
  readonly body: string;
}

interface Waiting {
  readonly request: string;
  readonly resolve: (answer: FeedAnswer) => void;
  readonly reject: (error: Error) => void;
}

export interface FeedConnectionOptions {
  readonly url: URL;
  /** Of the simulated edges of one identity. */
  readonly secureContext: SecureContext;
}

const HEAD_END = '\r\n\r\n';

/**
 * A connection over mutual TLS for GETs, answered in their order, with as little work as there can be: thousands are in
 * one process. A server ends what was idle for long; the next request connects anew.
 */
export class FeedConnection {
  readonly #options: FeedConnectionOptions;
  #connection: Promise<TLSSocket> | undefined;
  #waiting: Waiting[] = [];
  #received = '';

  constructor(options: FeedConnectionOptions) {
    this.#options = options;
  }

  get(path: string): Promise<FeedAnswer> {
    return new Promise((resolve, reject) => {
      const request = `GET ${path} HTTP/1.1\r\nhost: ${this.#options.url.host}\r\n\r\n`;
      this.#waiting.push({ request, resolve, reject });
      this.#connection ??= this.#connect();
      this.#connection.then(
        (socket) => socket.write(request),
        (error: unknown) => {
          this.#connection = undefined;
          this.#fail(error);
        },
      );
    });
  }

  async #connect(): Promise<TLSSocket> {
    const { url, secureContext } = this.#options;
    const socket = connect({
      ...{ host: url.hostname, port: Number(url.port), secureContext },
      // Verified, but for the name: a region's identity is no name of a host.
      checkServerIdentity: () => undefined,
    });
    await once(socket, 'secureConnect');
    socket.setNoDelay(true).setEncoding('latin1');
    socket.on('data', (text: string) => this.#take(text));
    socket.on('error', (error) => this.#fail(error));
    socket.once('close', () => {
      this.#connection = undefined;
      this.#received = '';
      if (this.#waiting.length > 0) this.#fail(new Error('the region ended the connection of a simulated edge'));
    });
    return socket;
  }

  #take(text: string): void {
    this.#received += text;
    for (let answer = this.#next(); answer !== undefined; answer = this.#next()) this.#waiting.shift()?.resolve(answer);
  }

  /** Undefined: it has not come whole. */
  #next(): FeedAnswer | undefined {
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd === -1) return undefined;
    const head = this.#received.slice(0, headEnd);
    const [, status = '0'] = head.split(' ', 2);
    const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
    const [from, to] = [headEnd + HEAD_END.length, headEnd + HEAD_END.length + length];
    if (this.#received.length < to) return undefined;
    const body = this.#received.slice(from, to);
    this.#received = this.#received.slice(to);
    return { status: Number(status), body };
  }

  #fail(error: unknown): void {
    const failed = this.#waiting;
    this.#waiting = [];
    for (const { reject } of failed) reject(error instanceof Error ? error : new Error(String(error)));
  }
}
