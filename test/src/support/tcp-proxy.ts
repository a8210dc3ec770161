import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Test } from 'tap';

/**
 * What the network between two does: `open` carries everything; `refused` ends connections at once; `silent` takes new
 * ones and goes on with old ones, but carries nothing either way and ends none: a partition, half-open connections.
 */
type NetworkState = 'open' | 'refused' | 'silent';

/** A real TCP connection's way through a network that a test breaks. */
export class TcpProxy {
  #state: NetworkState = 'open';
  /** Answers are cut off, with a reset, after so many bytes more. */
  cutAfterBytes = Number.POSITIVE_INFINITY;
  /** Connections that were taken. */
  connections = 0;
  readonly #server: Server;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #sockets = new Set<Socket>();

  private constructor(target: URL) {
    this.#target = { host: target.hostname, port: Number(target.port) };
    this.#server = createServer((client) => this.#join(client));
  }

  static async to(t: Test, target: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(new URL(target));
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    t.teardown(() => proxy.close());
    return proxy;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Every connection is reset, and new ones are refused. */
  refuse(): void {
    this.#state = 'refused';
    this.#reset();
  }

  silence(): void {
    this.#state = 'silent';
  }

  /** The network is back. Connections of before, which may have lost pieces, are reset. */
  open(): void {
    this.#state = 'open';
    this.#reset();
  }

  #reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket): void {
    this.connections += 1;
    if (this.#state === 'refused') {
      client.resetAndDestroy();
      return;
    }
    const server = connect(this.#target);
    this.#carry(client, server, (bytes) => bytes);
    this.#carry(server, client, (bytes) => this.#cut(bytes, server, client));
  }

  #carry(from: Socket, to: Socket, passing: (bytes: Buffer) => Buffer | undefined): void {
    this.#sockets.add(from);
    from.on('data', (bytes: Buffer) => {
      const passed = this.#state === 'open' ? passing(bytes) : undefined;
      if (passed) to.write(passed);
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      this.#sockets.delete(from);
      if (this.#state === 'open') to.destroy();
    });
  }

  #cut(bytes: Buffer, server: Socket, client: Socket): Buffer | undefined {
    this.cutAfterBytes -= bytes.length;
    if (this.cutAfterBytes >= 0) return bytes;
    server.destroy();
    client.resetAndDestroy();
    return undefined;
  }
}
