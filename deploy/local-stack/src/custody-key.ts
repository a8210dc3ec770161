import { randomBytes } from 'node:crypto';
import { access } from 'node:fs/promises';
import { writePrivate, type StateFolder } from './state-folder.js';

/** The key that seals the secrets, made once: without it those in the database are lost. */
export async function ensureCustodyKey(state: StateFolder): Promise<void> {
  const isThere = await access(state.custodyKey).then(
    () => true,
    () => false,
  );
  if (!isThere) await writePrivate(state.custodyKey, randomBytes(32).toString('base64'));
}
