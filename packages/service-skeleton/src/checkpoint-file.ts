import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointMemory, LedgerError } from '@sigv4-keyd/ledger';
import { placeFile } from './durable-files.js';
import { StartError } from './start-error.js';

const NAME = 'ledger-checkpoint';
const UNFINISHED = 'ledger-checkpoint.unfinished';

/**
 * The newest checkpoint that was seen in the life of the folder.
 * @throws StartError for a file that is damaged or of another log
 */
export async function readCheckpointMemory(folder: string, origin: string): Promise<CheckpointMemory> {
  try {
    return CheckpointMemory.restore(origin, await readFile(join(folder, NAME), 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new CheckpointMemory(origin);
    if (!(error instanceof LedgerError)) throw error;
    throw new StartError(
      `${join(folder, NAME)}: ${error.message} Without the file the next checkpoint is taken on trust: ` +
        'remove it only after keydctl ledger verify has found the log to be whole',
      78,
      error,
    );
  }
}

export function storeCheckpointMemory(folder: string, memory: CheckpointMemory): Promise<void> {
  return placeFile(folder, NAME, UNFINISHED, memory.serialise());
}
