import { CommandError, usageError } from '../command-line/command-error.js';
import type { Surroundings } from '../command-line/surroundings.js';
import { askShown } from './prompt.js';

/** What cannot be undone is done after a person confirmed it, or with `--yes`. */
export async function confirm(surroundings: Surroundings, question: string, isConfirmed: boolean): Promise<void> {
  if (isConfirmed) return;
  if (!surroundings.isTerminal.input) {
    throw usageError('this cannot be undone, and there is no terminal to confirm it on', 'Add --yes if it is meant');
  }
  const answer = await askShown(surroundings, `${question} Type yes to go on: `);
  if (answer.trim().toLowerCase() === 'yes') return;
  throw new CommandError('failed', 'not-confirmed', 'it was not confirmed', 'Nothing was changed');
}
