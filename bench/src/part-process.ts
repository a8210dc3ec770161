import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BenchOptions } from './bench-part.js';
import { measured, type Measured } from './measured.js';

const PROGRAM = fileURLToPath(new URL('run-part.js', import.meta.url));

/** Runs a part in a process of its own: what another part left in the heap or in the compiler does not count. */
export function runInOwnProcess(name: string, options: BenchOptions): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const child = fork(PROGRAM, [name, JSON.stringify(options)], {
      execArgv: ['--expose-gc'],
      // What the services that it starts print is progress, and not part of the result.
      stdio: ['ignore', process.stderr, process.stderr, 'ipc'],
    });
    let answer: Measured | undefined;
    let broken: unknown;
    child.on('message', (message) => {
      const parsed = measured.safeParse(message);
      if (parsed.success) answer = parsed.data;
      else broken = parsed.error;
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (answer && code === 0) resolve(answer);
      else reject(new Error(`the part ${name} ended with ${signal ?? code ?? 0}`, { cause: broken }));
    });
  });
}
