import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { readFile, readlink, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Account } from './embedded-postgres-account.js';
import { EmbeddedPostgresError } from './embedded-postgres-error.js';

export interface PostmasterOptions {
  readonly postgres: string;
  readonly data: string;
  readonly port: number;
  readonly logFile: string;
  readonly account: Account | undefined;
}

/** Starts the server. It listens on 127.0.0.1 alone, without Unix sockets. */
export async function spawnPostmaster(options: PostmasterOptions): Promise<ChildProcess> {
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200'];
  const argv = [
    ...(await dieWithParent()),
    options.postgres,
    '-D',
    options.data,
    '-p',
    String(options.port),
    ...settings.flatMap((setting) => ['-c', setting]),
  ];
  const [command = options.postgres, ...rest] = argv;
  const log = openSync(options.logFile, 'w', 0o600);
  try {
    // Detached: Ctrl-C at the terminal must not stop the database before the services that use it.
    return spawn(command, rest, {
      ...options.account,
      cwd: '/',
      detached: true,
      stdio: ['ignore', log, log],
      env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
    });
  } finally {
    closeSync(log);
  }
}

/** The end of the server's log, for messages. */
export function lastLinesOf(logFile: string): string {
  return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-5).join('\n');
}

/** On Linux the kernel stops the server (a fast shutdown) when this process dies, even by kill -9. */
async function dieWithParent(): Promise<readonly string[]> {
  if (process.platform !== 'linux') return [];
  const prefix = ['setpriv', '--pdeathsig', 'INT'];
  try {
    await promisify(execFile)('setpriv', ['--pdeathsig', 'INT', 'true']);
    return prefix;
  } catch {
    return [];
  }
}

const STOP_WITHIN_MS = 15_000;

/** Stops a server that an earlier process left running on this data folder. */
export async function stopStaleServer(data: string, log: (line: string) => void): Promise<void> {
  const pidFile = join(data, 'postmaster.pid');
  const pid = Number((await readIfThere(pidFile)).split('\n')[0]);
  if (!Number.isSafeInteger(pid) || pid <= 1 || !isAlive(pid)) return;
  if (!(await isServerOf(pid, data))) {
    // The number belongs to another process by now; the server itself would refuse to start because of it.
    await rm(pidFile, { force: true });
    return;
  }
  log(`stopping the PostgreSQL server ${pid} that was left running`);
  process.kill(pid, 'SIGINT');
  const deadline = Date.now() + STOP_WITHIN_MS;
  while (isAlive(pid)) {
    if (Date.now() > deadline) {
      throw new EmbeddedPostgresError(
        'did-not-stop',
        `the PostgreSQL server ${pid} of an earlier run does not stop; stop it with kill -QUIT ${pid}`,
      );
    }
    await pause(20);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** postgres works inside its data folder; elsewhere than on Linux its command line names the folder. */
async function isServerOf(pid: number, data: string): Promise<boolean> {
  try {
    if (process.platform === 'linux') return (await readlink(`/proc/${pid}/cwd`)) === (await realpath(data));
    return (await promisify(execFile)('ps', ['-p', String(pid), '-o', 'command='])).stdout.includes(data);
  } catch {
    return false;
  }
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    return '';
  }
}
