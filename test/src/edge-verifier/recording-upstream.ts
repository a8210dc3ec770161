import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface RecordedRequest {
  readonly method: string;
  readonly target: string;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** An upstream that keeps every byte it was sent, and every request that it could read. */
export class RecordingUpstream {
  readonly requests: RecordedRequest[] = [];
  /** All bytes of all connections, latin1. */
  wire = '';
  /** How it answers; by default 200 with a word. */
  answer: Handler = (_request, response) => response.end('served');
  /** Takes over from the recording, to answer before the body has come. */
  early: Handler | undefined;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#record(request, response));
    this.#server.maxHeadersCount = 0;
    this.#server.on('connection', (socket) => {
      socket.on('data', (chunk: Buffer) => (this.wire += chunk.toString('latin1')));
    });
  }

  static async start(): Promise<RecordingUpstream> {
    const upstream = new RecordingUpstream();
    await new Promise<void>((resolve) => upstream.#server.listen(0, '127.0.0.1', resolve));
    return upstream;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get last(): RecordedRequest {
    const last = this.requests.at(-1);
    if (!last) throw new Error('the upstream was sent nothing');
    return last;
  }

  /** The values of a header in the last request. */
  lastHeader(wanted: string): string[] {
    const { rawHeaders } = this.last;
    return rawHeaders.filter((_text, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === wanted);
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #record(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.early) {
      this.early(request, response);
      return;
    }
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const { method = '', url = '', rawHeaders } = request;
    this.requests.push({ method, target: url, rawHeaders, body: Buffer.concat(chunks) });
    this.answer(request, response);
  }
}
