import type { Readable, Writable } from 'node:stream';
import { whenNpmEnds } from './launcher.js';

/** All that a command touches besides files and master-keyd: handed in, so that it runs the same in a test. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly input: Readable;
  readonly output: Writable;
  readonly errorOutput: Writable;
  /** Which of the three are a person's terminal. */
  readonly isTerminal: { readonly input: boolean; readonly output: boolean; readonly errorOutput: boolean };
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Aborts when the person or the system asks the command to end. Until it is called, that ends the process. */
  readonly interruption: () => AbortSignal;
}

export function processSurroundings(): Surroundings {
  const { env, stdin, stdout, stderr } = process;
  return {
    env,
    // Opened when a command reads it, not before: an open terminal would keep the process from ending.
    get input() {
      return stdin;
    },
    output: stdout,
    errorOutput: stderr,
    isTerminal: { input: stdin.isTTY, output: stdout.isTTY, errorOutput: stderr.isTTY },
    now: () => Date.now(),
    interruption() {
      const interruption = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort());
      whenNpmEnds(env, () => interruption.abort());
      return interruption.signal;
    },
  };
}

/** Colours are for a terminal only, and not where NO_COLOR is set (https://no-color.org) or the terminal has none. */
export function hasColours(surroundings: Surroundings, stream: 'output' | 'errorOutput'): boolean {
  const { env, isTerminal } = surroundings;
  return isTerminal[stream] && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}
