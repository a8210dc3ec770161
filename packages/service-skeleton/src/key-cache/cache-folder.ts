import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isScopeDate, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import { UNFINISHED } from './sealed-file.js';

const SEALED = '.sealed';
/** When each access key was last asked for. */
export const USES_FILE = `uses${SEALED}`;
/** Secrets that files may still be sealed under, while these are written anew. */
export const OLDER_SECRETS_FILE = `older-secrets${SEALED}`;

/** The file of a day's keys. */
export function dayFile(date: ScopeDate): string {
  return date + SEALED;
}

/** The day of a file of keys; undefined for any other file. */
export function dayOfFile(name: string): ScopeDate | undefined {
  if (!name.endsWith(SEALED)) return undefined;
  const date = name.slice(0, -SEALED.length);
  return isScopeDate(date) ? date : undefined;
}

/** Names of the files of a cache. What a crash left unfinished is removed; what is not ours is let be. */
export async function cacheFiles(folder: string): Promise<readonly string[]> {
  const names: string[] = [];
  for (const name of await entriesOf(folder)) {
    if (name.endsWith(SEALED + UNFINISHED)) await rm(join(folder, name), { recursive: true, force: true });
    else if (name.endsWith(SEALED)) names.push(name);
  }
  return names.sort();
}

async function entriesOf(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
