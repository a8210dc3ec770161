import { isConnectionLost, stateOf } from './database-error.js';
import { parseDatabaseUrl, type DatabaseHost, type SessionAttributes } from './database-url.js';

/** A server that answers, but not as the one that is looked for. */
export class UnsuitableHost extends Error {
  override readonly name = 'UnsuitableHost';
  /** As of a statement that a read-only session refuses. */
  readonly code = '25006';
}

/** None of several hosts can be used; the message says why, of each. */
export class NoUsableHost extends Error {
  override readonly name = 'NoUsableHost';
  readonly code = '08001';
}

/**
 * Which host of the database is the primary, as far as is known: one memory for all connections of a process. The
 * driver itself knows one host only.
 */
export class DatabaseHosts {
  readonly sessionAttributes: SessionAttributes;
  readonly #hosts: readonly DatabaseHost[];
  #place = 0;
  #generation = 0;

  private constructor(hosts: readonly DatabaseHost[], sessionAttributes: SessionAttributes) {
    this.#hosts = hosts;
    this.sessionAttributes = sessionAttributes;
  }

  /** Throws TypeError for what is no database URL; the message does not quote it. */
  static of(databaseUrl: string): DatabaseHosts {
    const parsed = parseDatabaseUrl(databaseUrl);
    if (!parsed) throw new TypeError('not a database URL');
    return new DatabaseHosts(parsed.hosts, parsed.sessionAttributes);
  }

  get count(): number {
    return this.#hosts.length;
  }

  /** The one to connect to next. */
  get current(): DatabaseHost {
    const host = this.#hosts[this.#place];
    if (!host) throw new RangeError(`there is no host ${this.#place}`);
    return host;
  }

  /** Connections of an earlier generation are not used again: what they lead to may be the primary no longer. */
  get generation(): number {
    return this.#generation;
  }

  /** Something broke: each connection is made anew, to the same host first. */
  distrust(): void {
    this.#generation += 1;
  }

  /** This one is not the primary, or cannot be reached: the next one has its turn. */
  leave(host: DatabaseHost): void {
    if (host !== this.current) return;
    this.#place = (this.#place + 1) % this.#hosts.length;
    this.#generation += 1;
  }

  /** Tries one host after the other, each once, the last good one first. Rejects with the only failure, or with all. */
  async first<Result>(connect: (host: DatabaseHost) => Promise<Result>): Promise<Result> {
    const failures = new Map<DatabaseHost, unknown>();
    for (;;) {
      const host = this.current;
      try {
        return await connect(host);
      } catch (error) {
        // A wrong password or an unknown database is every host's to refuse.
        if (!isConnectionLost(error)) throw error;
        this.leave(host);
        failures.set(host, error);
        if (this.count === 1) throw error;
        if (failures.size === this.count) throw new NoUsableHost(sentenceOf(failures), { cause: error });
      }
    }
  }
}

function sentenceOf(failures: ReadonlyMap<DatabaseHost, unknown>): string {
  const reasons = [...failures].map(([{ name }, error]) =>
    error instanceof UnsuitableHost ? error.message : `${name}: ${stateOf(error) ?? messageOf(error)}`,
  );
  return `no host of the database can be used (${reasons.join('; ')})`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
