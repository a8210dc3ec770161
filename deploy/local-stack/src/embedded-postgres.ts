import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { accountForPostgres } from './embedded-postgres-account.js';
import { postgresBinaries } from './embedded-postgres-binaries.js';
import { postgresData, SUPERUSER } from './embedded-postgres-data.js';
import { EmbeddedPostgresError } from './embedded-postgres-error.js';
import { lastLinesOf, spawnPostmaster, stopStaleServer, type PostmasterOptions } from './embedded-postgres-process.js';

export { removeEmbeddedPostgres } from './embedded-postgres-data.js';
export { EmbeddedPostgresError, type EmbeddedPostgresFault } from './embedded-postgres-error.js';

export interface EmbeddedPostgresOptions {
  /** State of the server: password, log, data. Made when absent, used again when there. */
  readonly folder: string;
  /** Port on 127.0.0.1; absent: a free one. */
  readonly port?: number;
  /** Progress, a line each. */
  readonly log?: (line: string) => void;
  /** Told when the server ends without having been asked to, with the last lines of its log. */
  readonly onUnexpectedExit?: (lastLines: string) => void;
}

/** A real PostgreSQL server of our own, which ends with this process. */
export interface EmbeddedPostgres {
  readonly port: number;
  /** The file that the server logs to. */
  readonly logFile: string;
  /** For the only role, a superuser. Holds its password. */
  connectionString(database: string): string;
  /** Ends open sessions and stops. Stopping twice is harmless. */
  stop(): Promise<void>;
  /** Ends it as a crash would, for fault tests. */
  kill9(): Promise<void>;
  /** Starts again on the same data and port, after a stop if it is running. */
  restart(): Promise<void>;
}

/** @throws EmbeddedPostgresError */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const folder = resolve(options.folder);
  const log = options.log ?? (() => undefined);
  const account = accountForPostgres();
  const binaries = await postgresBinaries(account);
  const data = await postgresData(folder, account, binaries);
  // A server that was left running holds the port that we want, so it goes first.
  await stopStaleServer(data.folder, log);
  const port = await claimPort(options.port);
  const logFile = join(folder, 'postgres.log');
  const connectionString = (database: string): string =>
    `postgres://${SUPERUSER}:${data.password}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
  const postmaster: PostmasterOptions = { postgres: binaries.postgres, data: data.folder, port, logFile, account };
  let running: ChildProcess | undefined;

  async function start(): Promise<void> {
    const child = await launch(postmaster, connectionString('postgres'));
    running = child;
    child.once('exit', () => {
      if (running !== child) return;
      running = undefined;
      options.onUnexpectedExit?.(lastLinesOf(logFile));
    });
  }

  async function end(signal: 'SIGINT' | 'SIGKILL'): Promise<void> {
    const child = running;
    running = undefined;
    if (!child || hasEnded(child)) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  await start();
  return {
    port,
    logFile,
    connectionString,
    stop: () => end('SIGINT'),
    kill9: () => end('SIGKILL'),
    async restart() {
      await end('SIGINT');
      await stopStaleServer(data.folder, log);
      await start();
    },
  };
}

const START_WITHIN_MS = 60_000;

/** Starts the server and waits until it answers a query. */
async function launch(options: PostmasterOptions, connectionString: string): Promise<ChildProcess> {
  const deadline = Date.now() + START_WITHIN_MS;
  for (;;) {
    const child = await spawnPostmaster(options);
    const failure = await answers(child, connectionString, deadline);
    if (failure === undefined) return child;
    const lastLines = lastLinesOf(options.logFile);
    // After a crash the old backends hold the shared memory for a moment; the server asks to be started again then.
    if (!lastLines.includes('still in use') || Date.now() > deadline) {
      throw new EmbeddedPostgresError(
        lastLines.includes('Address already in use') ? 'port-taken' : 'did-not-start',
        `the embedded PostgreSQL did not start on port ${options.port}: ${failure}; its log ends with:\n${lastLines}`,
      );
    }
    await pause(50);
  }
}

/** Undefined once the server answers, or why it does not. */
async function answers(child: ChildProcess, connectionString: string, deadline: number): Promise<string | undefined> {
  let spawnFailure: string | undefined;
  child.once('error', (error) => (spawnFailure = error.message));
  while (spawnFailure === undefined && !hasEnded(child)) {
    const client = new Client({ connectionString, connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query('select 1');
      return undefined;
    } catch (error) {
      if (Date.now() > deadline) {
        child.kill('SIGQUIT');
        return `no answer in time (${String(error)})`;
      }
    } finally {
      await client.end().catch(() => undefined);
    }
    await pause(20);
  }
  return spawnFailure ?? 'it ended at once';
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** The wanted port if nobody has it, or a free one. */
async function claimPort(wanted: number | undefined): Promise<number> {
  const probe = createServer();
  try {
    probe.listen(wanted ?? 0, '127.0.0.1');
    await once(probe, 'listening');
    return portOf(probe.address());
  } catch (error) {
    throw new EmbeddedPostgresError(
      'port-taken',
      `port ${wanted ?? 0} of 127.0.0.1 cannot be used for PostgreSQL (${String(error)}); free it or choose another`,
      error,
    );
  } finally {
    probe.close();
  }
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}
