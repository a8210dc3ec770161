import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, realpath, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { isReachable, type Account } from './embedded-postgres-account.js';
import { EmbeddedPostgresError } from './embedded-postgres-error.js';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

const binariesModule = z.object({ initdb: z.string(), postgres: z.string() });
const packageManifest = z.object({ version: z.string() });

/** Where root keeps what must lie on a path that the unprivileged account can pass. */
export const REACHABLE_FOLDER = '/var/lib/sigv4-keyd';

/** The server's programs from the optional dependency for this platform, in a folder that the account can reach. */
export async function postgresBinaries(account: Account | undefined): Promise<PostgresBinaries> {
  const installed = await installedBinaries();
  // The package manager's folders are symbolic links: what must be passable is where they lead.
  const native = await realpath(dirname(dirname(installed.postgres)));
  if (await isReachable(join(native, 'bin', 'postgres'), account)) return installed;
  const manifest: unknown = JSON.parse(await readFile(join(dirname(native), 'package.json'), 'utf8'));
  const copy = join(REACHABLE_FOLDER, `postgresql-${packageManifest.parse(manifest).version}`);
  if (!existsSync(copy)) await copyWhole(native, copy);
  return { initdb: join(copy, 'bin', 'initdb'), postgres: join(copy, 'bin', 'postgres') };
}

async function installedBinaries(): Promise<PostgresBinaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const module: unknown = await import(name);
    const binaries = binariesModule.parse(module);
    return { initdb: binaries.initdb, postgres: binaries.postgres };
  } catch (error) {
    throw new EmbeddedPostgresError(
      'not-installed',
      `the embedded PostgreSQL (${name}) is not installed here; install the optional dependencies, ` +
        'or set DATABASE_URL to a PostgreSQL of your own',
      error,
    );
  }
}

/** Appears whole or not at all: a copy that was interrupted is never used. */
async function copyWhole(from: string, to: string): Promise<void> {
  const unfinished = `${to}.${randomUUID()}`;
  await mkdir(dirname(to), { recursive: true, mode: 0o755 });
  try {
    await cp(from, unfinished, { recursive: true, verbatimSymlinks: true });
    await rename(unfinished, to);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    if (!existsSync(to)) throw error;
  }
}
