import type { Logger } from '@sigv4-keyd/service-skeleton';
import type { Client } from 'pg';
import type { DatabaseHosts } from '../database/database-hosts.js';
import { lockPublishing } from '../database/locks.js';
import { connectToPrimary } from '../database/primary-session.js';
import { FEED_CHANNEL } from './feed-row.js';

const CONNECT_WITHIN_MS = 5_000;
const STATEMENT_WITHIN_MS = 5_000;
/** The server ends a session that is silent for this long: a master that hangs does not keep the lock. */
const SILENT_FOR_MS = 30_000;

export interface FeedConnectionOptions {
  readonly hosts: DatabaseHosts;
  readonly log: Logger;
  /** Called when a master, this one included, has published. */
  readonly onNews: () => void;
}

/**
 * A connection of its own for what lives as long as a session: listening for news, and the lock of the one master that
 * publishes on the beat. When the connection breaks, the server gives the lock to another.
 */
export class FeedConnection {
  readonly #options: FeedConnectionOptions;
  #client: Client | undefined;
  #generation = 0;
  #isPublisher = false;
  #isClosed = false;

  constructor(options: FeedConnectionOptions) {
    this.#options = options;
  }

  get isPublisher(): boolean {
    return this.#isPublisher;
  }

  /**
   * Connects where there is no connection, and takes the lock if nobody has it. Rejects when the database is out of
   * reach. Returns whether the connection is new: news may have been missed.
   */
  async ensure(): Promise<'new' | 'kept'> {
    this.#dropIfSuspect();
    const before = this.#client;
    const client = before ?? (await this.#connect());
    try {
      // Asked anew each time: the answer also tells that the session, and with it the lock, still lives.
      const hasLock = await lockPublishing(client, this.#isPublisher);
      if (hasLock && !this.#isPublisher) this.#options.log.info('this master publishes the beacon from now on');
      this.#isPublisher = hasLock;
    } catch (error) {
      this.#drop(client);
      throw error;
    }
    return before === client ? 'kept' : 'new';
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const client = this.#client;
    this.#client = undefined;
    this.#isPublisher = false;
    await client?.end().catch(() => undefined);
  }

  async #connect(): Promise<Client> {
    const { hosts } = this.#options;
    const client = await connectToPrimary(hosts, {
      application_name: 'master-keyd feed',
      connectionTimeoutMillis: CONNECT_WITHIN_MS,
      statement_timeout: STATEMENT_WITHIN_MS,
      query_timeout: STATEMENT_WITHIN_MS + CONNECT_WITHIN_MS,
      keepAlive: true,
    });
    this.#generation = hosts.generation;
    client.on('error', () => this.#drop(client));
    client.on('end', () => this.#drop(client));
    client.on('notification', () => this.#options.onNews());
    try {
      await client.query(`SET idle_session_timeout = ${SILENT_FOR_MS}`);
      await client.query(`LISTEN ${FEED_CHANNEL}`);
      if (this.#isClosed) throw new Error('closed meanwhile');
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    this.#client = client;
    return client;
  }

  /** After a failover, the old primary may still answer: whoever has its lock must not publish there. */
  #dropIfSuspect(): void {
    if (this.#client && this.#generation !== this.#options.hosts.generation) this.#drop(this.#client);
  }

  #drop(client: Client): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    if (this.#isPublisher) this.#options.log.warn('this master lost the lock of the publisher');
    this.#isPublisher = false;
    void client.end().catch(() => undefined);
  }
}
