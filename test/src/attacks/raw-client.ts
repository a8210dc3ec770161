import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Front } from './fronts.js';

/** A connection to a front that sends bytes as they are. */
export class RawClient {
  readonly #socket: Socket;
  #answers = '';
  readonly #closed: Promise<void>;

  constructor({ address, tls }: Front) {
    const [host = '', port] = address.split(':');
    const to = { host, port: Number(port) };
    this.#socket = tls ? connectTls({ ...to, rejectUnauthorized: false }) : connect(to);
    this.#socket.on('data', (chunk: Buffer) => (this.#answers += chunk.toString('latin1')));
    // Whoever refuses a request may end the connection while more of it comes.
    this.#socket.on('error', () => undefined);
    this.#closed = new Promise((resolve) => this.#socket.once('close', () => resolve()));
  }

  /** All that came back so far, latin1. */
  get answers(): string {
    return this.#answers;
  }

  get isClosed(): boolean {
    return this.#socket.closed;
  }

  /** Sends latin1 and waits until it is on its way, or the connection is no more. */
  write(wire: string): Promise<void> {
    return new Promise((resolve) => this.#socket.write(Buffer.from(wire, 'latin1'), () => resolve()));
  }

  /** All that came back until the other side closed. */
  async closed(): Promise<string> {
    await this.#closed;
    return this.#answers;
  }

  /** Ends the connection from this side. */
  async close(): Promise<void> {
    this.#socket.destroy();
    await this.#closed;
  }
}
