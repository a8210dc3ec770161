import type { Writable } from 'node:stream';
import picocolors from 'picocolors';

/** Tells what is going on, a line a step. */
export interface Progress {
  /** Runs a step; its line says how long it took, and what came of it where that is a text. */
  step<Result>(title: string, task: () => Promise<Result>): Promise<Result>;
  heading(text: string): void;
}

export interface ProgressOptions {
  readonly stream: Writable;
  /** A person watches: colours, and a line for the step under way. */
  readonly isTerminal: boolean;
}

export function createProgress({ stream, isTerminal }: ProgressOptions): Progress {
  const paint = picocolors.createColors(isTerminal && (process.env['NO_COLOR'] ?? '') === '');
  const clearLine = isTerminal ? '\r\u001b[2K' : '';
  return {
    async step(title, task) {
      const startedAt = performance.now();
      if (isTerminal) stream.write(`  ${paint.dim('…')} ${title}`);
      try {
        const result = await task();
        const outcome = typeof result === 'string' ? `: ${paint.bold(result)}` : '';
        const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
        stream.write(`${clearLine}  ${paint.green('✓')} ${title}${outcome} ${paint.dim(`(${seconds} s)`)}\n`);
        return result;
      } catch (error) {
        stream.write(`${clearLine}  ${paint.red('✗')} ${title}\n`);
        throw error;
      }
    },
    heading(text) {
      stream.write(`${paint.bold(text)}\n`);
    },
  };
}
