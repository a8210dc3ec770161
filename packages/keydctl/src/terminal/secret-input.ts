import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { secretAccessKey } from '@sigv4-keyd/hop-protocol';
import { CommandError } from '../command-line/command-error.js';
import type { Surroundings } from '../command-line/surroundings.js';
import { askHidden } from './prompt.js';

/**
 * A secret access key from a file, from standard input (`-`, or when that is no terminal), or typed unseen. Never from
 * the command line: arguments are there for every user of the machine to see.
 */
export async function readSecretAccessKey(surroundings: Surroundings, file: string | undefined): Promise<string> {
  const secret = secretAccessKey.safeParse((await readInput(surroundings, file)).replace(/\r?\n$/, ''));
  if (secret.success) return secret.data;
  // Said without the value, in all cases.
  const message = 'the secret access key is not 16 to 128 printable ASCII characters on one line';
  throw new CommandError('failed', 'malformed-secret', message, 'Give exactly the secret, nothing around it');
}

async function readInput(surroundings: Surroundings, file: string | undefined): Promise<string> {
  if (file !== undefined && file !== '-') return readFile(file, 'utf8');
  if (file === '-' || !surroundings.isTerminal.input) return text(surroundings.input);
  return askHidden(surroundings, 'Secret access key (not shown): ');
}
