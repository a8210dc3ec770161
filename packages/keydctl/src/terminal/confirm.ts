import { CommandError, usageError } from '../command-line/command-error.js';
import type { Surroundings } from '../command-line/surroundings.js';
import { askShown } from './prompt.js';

/**
 * What cannot be undone by the one who does it is done after a person typed `word`, or with `--yes`. A word of its own
 * for each case keeps a hand that is used to typing yes from doing it.
 */
export async function confirm(
  surroundings: Surroundings,
  question: string,
  isConfirmed: boolean,
  word = 'yes',
): Promise<void> {
  if (isConfirmed) return;
  if (!surroundings.isTerminal.input) {
    throw usageError('this cannot be undone, and there is no terminal to confirm it on', 'Add --yes if it is meant');
  }
  const answer = await askShown(surroundings, `${question} Type ${word} to go on: `);
  if (answer.trim().toLowerCase() === word.toLowerCase()) return;
  throw new CommandError('failed', 'not-confirmed', 'it was not confirmed', 'Nothing was changed');
}
