import { writeSync } from 'node:fs';

/** How long the reader is given before the next try, milliseconds. */
const BREATH_MS = 5;

/**
 * Writes a line to standard output, and returns when the pipe has it: what was said reaches the test even when the next
 * instruction never runs. Waits for a reader that is behind, where Node would throw EAGAIN.
 */
export function sayAtOnce(line: string): void {
  const bytes = Buffer.from(`${line}\n`);
  for (let written = 0; written < bytes.length;) {
    try {
      written += writeSync(1, bytes, written);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BREATH_MS);
    }
  }
}
