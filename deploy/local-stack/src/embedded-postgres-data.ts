import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { isReachable, type Account } from './embedded-postgres-account.js';
import { REACHABLE_FOLDER, type PostgresBinaries } from './embedded-postgres-binaries.js';
import { EmbeddedPostgresError } from './embedded-postgres-error.js';

export const SUPERUSER = 'keyd';

/** A data folder that initdb has finished, and the password of its one role. */
export interface PostgresData {
  readonly folder: string;
  readonly password: string;
}

/** The data of the server whose state lives in `folder`: made by initdb once, found again afterwards. */
export async function postgresData(
  folder: string,
  account: Account | undefined,
  binaries: PostgresBinaries,
): Promise<PostgresData> {
  await mkdir(folder, { recursive: true });
  // The account passes through this folder without listing it; what is secret in it has mode 0600.
  if (account) await chmod(folder, 0o711);
  const parent = await dataParent(folder, account);
  const data = join(parent, 'data');
  const passwordFile = join(folder, 'password');
  if (!existsSync(data)) {
    await removeUnfinished(parent);
    const password = randomBytes(24).toString('base64url');
    await writeFile(passwordFile, password, { mode: 0o600 });
    await initialise(data, password, account, binaries);
  }
  return { folder: data, password: await storedPassword(passwordFile, data) };
}

async function storedPassword(file: string, data: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new EmbeddedPostgresError(
      'initdb-failed',
      `there is a database in ${data} but no password in ${file}; remove both to begin anew`,
      error,
    );
  }
}

/** Removes everything that the server whose state lives in `folder` has left. It must not be running. */
export async function removeEmbeddedPostgres(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await rm(elsewhere(folder), { recursive: true, force: true });
}

/** `folder` itself, or a place of its own on a path that the account can pass. */
async function dataParent(folder: string, account: Account | undefined): Promise<string> {
  if (await isReachable(join(folder, 'data'), account)) return folder;
  const parent = elsewhere(folder);
  await mkdir(parent, { recursive: true, mode: 0o711 });
  return parent;
}

function elsewhere(folder: string): string {
  return join(REACHABLE_FOLDER, createHash('sha256').update(resolve(folder)).digest('hex').slice(0, 16));
}

const UNFINISHED = 'data.unfinished';

/** initdb works beside the final name, so that a data folder that exists is always a complete one. */
async function initialise(
  data: string,
  password: string,
  account: Account | undefined,
  binaries: PostgresBinaries,
): Promise<void> {
  const unfinished = data.replace(/data$/, UNFINISHED);
  const passwordFile = `${unfinished}.password`;
  await mkdir(unfinished, { mode: 0o700 });
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (account) {
    await chown(unfinished, account.uid, account.gid);
    await chown(passwordFile, account.uid, account.gid);
  }
  try {
    await promisify(execFile)(
      binaries.initdb,
      [
        `--pgdata=${unfinished}`,
        `--username=${SUPERUSER}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--locale=C',
        '--encoding=UTF8',
        '--no-instructions',
      ],
      { ...account, cwd: '/', env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' } },
    );
  } catch (error) {
    throw new EmbeddedPostgresError('initdb-failed', `initdb could not make ${data}; ${detailOf(error)}`, error);
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(unfinished, data);
}

async function removeUnfinished(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (name.startsWith(UNFINISHED)) await rm(join(parent, name), { recursive: true, force: true });
  }
}

function detailOf(error: unknown): string {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
  return said === '' ? String(error) : said;
}
