import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { CommandError } from '../command-line/command-error.js';
import type { Surroundings } from '../command-line/surroundings.js';

/** Asks for one line on the terminal and does not show what is typed. The question goes to the error output. */
export function askHidden(surroundings: Surroundings, question: string): Promise<string> {
  return ask(surroundings, question, 'hidden');
}

/** Asks for one line on the terminal. */
export function askShown(surroundings: Surroundings, question: string): Promise<string> {
  return ask(surroundings, question, 'shown');
}

function ask(surroundings: Surroundings, question: string, typing: 'hidden' | 'shown'): Promise<string> {
  // In terminal mode readline turns the terminal's own echo off and echoes itself, here into nothing.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({
    input: surroundings.input,
    output: typing === 'hidden' ? nowhere : surroundings.errorOutput,
    terminal: typing === 'hidden',
    historySize: 0,
  });
  // Not before: whoever answers at once would still meet the terminal's own echo.
  surroundings.errorOutput.write(question);
  return new Promise((resolve, reject) => {
    lines.once('line', (line) => {
      resolve(line);
      lines.close();
    });
    lines.once('SIGINT', () => lines.close());
    // After a line this is too late to change anything.
    lines.once('close', () => {
      if (typing === 'hidden') surroundings.errorOutput.write('\n');
      reject(new CommandError('failed', 'nothing-entered', 'nothing was entered', 'Nothing was changed; run it again'));
    });
  });
}
