import { once } from 'node:events';
import type { Writable } from 'node:stream';
import picocolors from 'picocolors';
import type { Outcome } from './outcome.js';
import { hasColours, type Surroundings } from './surroundings.js';

/** Prints the outcome of a command and waits until it is written. */
export async function writeOutcome(outcome: Outcome, surroundings: Surroundings, asJson: boolean): Promise<void> {
  const text = asJson
    ? JSON.stringify(outcome.document, undefined, 2)
    : outcome.text(picocolors.createColors(hasColours(surroundings, 'output')));
  await write(surroundings.output, `${text}\n`);
}

export async function write(stream: Writable, text: string): Promise<void> {
  if (!stream.write(text)) await once(stream, 'drain');
}
