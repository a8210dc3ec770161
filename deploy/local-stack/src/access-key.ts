import { readFile } from 'node:fs/promises';
import { createdAccessKey, errorCodeOf, type CreatedAccessKey } from '@sigv4-keyd/hop-protocol';
import type { MasterClient } from '@sigv4-keyd/keydctl';
import { writePrivate, type StateFolder } from './state-folder.js';

/** The access key to try the stack with: made once, its secret kept in the state folder. */
export async function ensureAccessKey(master: MasterClient, state: StateFolder): Promise<CreatedAccessKey> {
  const kept = await readKept(state.accessKey);
  if (kept !== undefined && (await isUsable(master, kept.accessKeyId))) return kept;
  const created = await master.create({ owner: 'local stack' });
  await writePrivate(state.accessKey, JSON.stringify(created));
  return created;
}

/** An access key that was disabled before anyone used it: no tier below the master ever gets a key of it. */
export async function createDisabledAccessKey(master: MasterClient): Promise<CreatedAccessKey> {
  const created = await master.create({ owner: 'local stack: disabled before its first use' });
  await master.change([created.accessKeyId], { kind: 'disable' });
  return created;
}

async function readKept(file: string): Promise<CreatedAccessKey | undefined> {
  try {
    return createdAccessKey.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    // Absent, or of another database: a new one is made.
    return undefined;
  }
}

async function isUsable(master: MasterClient, accessKeyId: string): Promise<boolean> {
  try {
    return (await master.get(accessKeyId)).status === 'enabled';
  } catch (error) {
    if (errorCodeOf(error) === 'not-found') return false;
    throw error;
  }
}
