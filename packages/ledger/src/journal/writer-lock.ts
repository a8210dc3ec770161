import { open, readdir, unlink, type FileHandle } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { JournalError, systemCodeOf } from './journal-error.js';

/** Held by the one process that writes a folder. */
export interface WriterLock {
  release(): Promise<void>;
}

const SOCKET = /^writer-([0-9]+)-[A-Za-z0-9-]+\.sock$/;

/**
 * Keeps every other writer out of a folder. The lock is a listening Unix socket in it: the kernel answers for a live
 * process and refuses for a dead one, also between containers that share a volume, where process numbers say nothing.
 *
 * Everyone first listens and then looks at the others. Of two that come at once at least the later one to listen sees
 * the earlier one, so that never both go on (both may be refused).
 */
export async function lockForWriting(folder: string, id: string): Promise<WriterLock> {
  const own = `writer-${process.pid}-${id}.sock`;
  const directory = await open(folder, 'r');
  const server = await listen(socketPath(folder, directory, own)).catch(async (error: unknown) => {
    await directory.close();
    throw error;
  });
  const lock = { release: () => release(server, directory, join(folder, own)) };
  try {
    await refuseOthers(folder, directory, own);
  } catch (error) {
    await lock.release();
    throw error;
  }
  return lock;
}

async function refuseOthers(folder: string, directory: FileHandle, own: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = SOCKET.exec(name)?.[1];
    if (pid === undefined || name === own) continue;
    if (await isAlive(socketPath(folder, directory, name)))
      throw new JournalError('locked', { detail: `process ${pid}` });
    // Its process is dead and the name is never used again.
    await removeSocket(join(folder, name));
  }
}

// The address of a Unix socket takes some 100 bytes; through the open folder every path is short enough.
function socketPath(folder: string, directory: FileHandle, name: string): string {
  return process.platform === 'linux' ? `/proc/self/fd/${directory.fd}/${name}` : join(folder, name);
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (cause) => reject(new JournalError('lock-unavailable', { cause })));
    // A lock never keeps a process alive that has otherwise finished; exclusive: also a cluster's worker owns it alone.
    server.unref().listen({ path, exclusive: true }, () => resolve(server));
  });
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // Only these two say that nobody listens; whatever else goes wrong, the other may be alive.
    socket.once('error', (error) => resolve(!['ECONNREFUSED', 'ENOENT'].includes(systemCodeOf(error) ?? '')));
  });
}

async function release(server: Server, directory: FileHandle, path: string): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
  await removeSocket(path);
  await directory.close();
}

/**
 * Not by `rm`, which looks at the file first: whoever has looked at a socket last breaks Node's realpathSync, and with
 * it the next import of a module behind a symbolic link (seen with Node 20.20: it reads a stale file type).
 */
async function removeSocket(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw error;
  }
}
