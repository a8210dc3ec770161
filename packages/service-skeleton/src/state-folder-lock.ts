import { randomUUID } from 'node:crypto';
import { JournalError, lockForWriting } from '@sigv4-keyd/ledger';
import { privateFolder } from './durable-files.js';
import type { OpenedParts } from './opened-parts.js';
import { StartError } from './start-error.js';

/**
 * Takes the state folder for this process, as one of its parts: two that write there would send each other's roll-ups,
 * and each would take the other's feed and checkpoint for its own. To be called before anything else is read there.
 * The lock ends with its process, however that ends.
 * @throws StartError
 */
export async function lockStateFolder(
  { stateFolder }: { readonly stateFolder: string },
  parts: OpenedParts,
): Promise<void> {
  try {
    await privateFolder(stateFolder);
    const lock = await lockForWriting(stateFolder, randomUUID());
    parts.add(() => lock.release());
  } catch (error) {
    throw new StartError(`KEYD_STATE_FOLDER: ${stateFolder}: ${whatToDo(error)}`, 78, error);
  }
}

function whatToDo(error: unknown): string {
  if (error instanceof JournalError && error.code === 'locked') {
    const who = error.detail === undefined ? 'a service' : `a service that runs as ${error.detail}`;
    return `${who} has it: stop that one, or give this one a folder of its own`;
  }
  if (error instanceof JournalError && error.code === 'lock-unavailable') {
    return 'it cannot hold the socket that keeps out a second process: use a local file system';
  }
  return error instanceof Error ? error.message : String(error);
}
