import { readFile } from 'node:fs/promises';
import { FeedError, formsInStateFile } from '@sigv4-keyd/revocation';
import { CommandError } from '../command-line/command-error.js';

/**
 * The signed statements and pages of access keys in the feed states of regions and edges, compact JWS, none twice.
 * Whether they are genuine is for the master to say, which has the pinned keys.
 * @throws CommandError
 */
export async function heldBelow(files: readonly string[]): Promise<readonly string[]> {
  const forms = new Set<string>();
  for (const file of files) {
    for (const form of await formsIn(file)) forms.add(form);
  }
  return [...forms];
}

async function formsIn(file: string): Promise<readonly string[]> {
  const text = await readFile(file, 'utf8');
  try {
    return formsInStateFile(text);
  } catch (error) {
    if (!(error instanceof FeedError)) throw error;
    const next = 'Give feed-state.json as a region or an edge wrote it to its KEYD_STATE_FOLDER';
    throw new CommandError('failed', error.code, `${file}: ${error.message}`, next, { cause: error });
  }
}
