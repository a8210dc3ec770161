import picocolors from 'picocolors';
import { exitCodeOf } from './command-line/exit-code.js';
import { explain, type Explanation } from './command-line/explain.js';
import { hasColours, type Surroundings } from './command-line/surroundings.js';
import { Unfinished } from './command-line/unfinished.js';
import { write } from './command-line/write-outcome.js';
import { createProgram } from './program.js';

/** Runs one command line (without the program's name) and resolves to its exit code. */
export async function runKeydctl(args: readonly string[], surroundings: Surroundings): Promise<number> {
  try {
    await createProgram(surroundings).parseAsync(args, { from: 'user' });
    return exitCodeOf('ok');
  } catch (error) {
    if (error instanceof Unfinished) return exitCodeOf('failed');
    const explanation = explain(error);
    if (explanation.ending !== 'ok') await tell(explanation, surroundings, args.includes('--json'));
    return explanation.exitCode ?? exitCodeOf(explanation.ending);
  }
}

/** One line for eyes on the error output; with `--json` the same as the one document on the output. */
async function tell(explanation: Explanation, surroundings: Surroundings, asJson: boolean): Promise<void> {
  const { ending, code, message, next } = explanation;
  const paint = picocolors.createColors(hasColours(surroundings, 'errorOutput'));
  const sentence = [message, next]
    .filter((part) => part !== undefined)
    .map(withoutFullStop)
    .join('. ');
  await write(surroundings.errorOutput, `keydctl: ${paint.red('error')}: ${oneLine(sentence)}.\n`);
  if (!asJson) return;
  const document = { error: { code, exitCode: exitCodeOf(ending), message, ...(next !== undefined && { next }) } };
  await write(surroundings.output, `${JSON.stringify(document, undefined, 2)}\n`);
}

function withoutFullStop(text: string): string {
  return text.replace(/\.$/, '');
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ').replaceAll(/\p{C}/gu, '\ufffd');
}
