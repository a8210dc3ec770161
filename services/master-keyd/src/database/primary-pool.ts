import type { Tracer } from '@opentelemetry/api';
import { Client, Pool, type ClientConfig, type PoolClient, type PoolConfig } from 'pg';
import { isConnectionLost, stateOf } from './database-error.js';
import type { DatabaseHosts } from './database-hosts.js';
import { requireSuitable } from './primary-session.js';

type ConnectCallback = Parameters<Pool['connect']>[0];

/**
 * A pool whose connections lead to the primary, whichever host that is. Connections of before a failover are thrown
 * away when their turn comes; a failure that shows one makes all others suspect.
 */
export class PrimaryPool extends Pool {
  /** Undefined: statements are not traced. */
  readonly tracer: Tracer | undefined;
  readonly #hosts: DatabaseHosts;

  constructor(hosts: DatabaseHosts, { tracer, ...settings }: PoolConfig & { readonly tracer: Tracer | undefined }) {
    const HostClient = hostClientOf(hosts);
    super({
      ...settings,
      Client: HostClient,
      verify: (client, done) => {
        const host = client instanceof HostClient ? client.databaseHost : hosts.current;
        requireSuitable(client, host, hosts.sessionAttributes).then(() => done(), done);
      },
    });
    this.tracer = tracer;
    this.#hosts = hosts;
    this.on('release', (error: unknown, client: unknown) => {
      if (client instanceof HostClient) this.#judge(client, error);
    });
    this.#isStale = (client) => client instanceof HostClient && client.generation !== hosts.generation;
  }

  override connect(): Promise<PoolClient>;
  override connect(callback: ConnectCallback): void;
  override connect(callback?: ConnectCallback): Promise<PoolClient> | undefined {
    const connected = this.#hosts.first(() => this.#fresh());
    if (callback === undefined) return connected;
    connected.then(
      (client) => callback(undefined, client, (error?: Error | boolean) => client.release(error)),
      (error: unknown) => callback(asError(error), undefined, () => undefined),
    );
    return undefined;
  }

  readonly #isStale: (client: PoolClient) => boolean;

  async #fresh(): Promise<PoolClient> {
    for (;;) {
      const client = await super.connect();
      if (!this.#isStale(client)) return client;
      client.release(true);
    }
  }

  #judge(client: InstanceType<ReturnType<typeof hostClientOf>>, error: unknown): void {
    if (!isConnectionLost(error)) return;
    // A primary that has become a standby answers, and will not become one again by being asked again.
    if (stateOf(error) === '25006') this.#hosts.leave(client.databaseHost);
    else if (client.generation === this.#hosts.generation) this.#hosts.distrust();
  }
}

/** A client of the host whose turn it is when the pool makes it. */
function hostClientOf(hosts: DatabaseHosts) {
  return class HostClient extends Client {
    readonly databaseHost = hosts.current;
    readonly generation = hosts.generation;

    constructor(settings?: ClientConfig) {
      super({ ...settings, connectionString: hosts.current.connectionString });
    }
  };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
