import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchOptions } from './bench-part.js';
import { measured, type Measured } from './measured.js';
import { endGroup } from './process-group.js';

const PROGRAM = fileURLToPath(new URL('run-part.js', import.meta.url));
/** A part that hangs must not keep the others from being measured. */
const LONGEST_MINUTES = { whole: 20, quick: 5, tiny: 5 } as const;

/**
 * Runs a part in a process of its own: what another part left in the heap or in the compiler does not count. It has a
 * group of processes and a folder for temporary files, too, so that nothing of it is left, however it ends.
 */
export async function runInOwnProcess(
  name: string,
  options: BenchOptions,
  interrupted: AbortSignal,
): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'keyd-bench-'));
  // PostgreSQL, which root starts as somebody else, passes through it.
  chmodSync(folder, 0o711);
  const child = fork(PROGRAM, [name, JSON.stringify(options)], {
    execArgv: ['--expose-gc'],
    detached: true,
    env: { ...process.env, TMPDIR: folder },
    // What the services that it starts print is progress, and not part of the result.
    stdio: ['ignore', process.stderr, process.stderr, 'ipc'],
  });
  const { pid } = child;
  try {
    return await answerOf(child, { name, interrupted, minutes: LONGEST_MINUTES[options.scale] });
  } finally {
    if (pid !== undefined) await endGroup(pid);
    await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}

async function answerOf(
  child: ChildProcess,
  {
    name,
    interrupted,
    minutes,
  }: { readonly name: string; readonly interrupted: AbortSignal; readonly minutes: number },
): Promise<Measured> {
  const tooLong = AbortSignal.timeout(minutes * 60_000);
  const signal = AbortSignal.any([interrupted, tooLong]);
  let answer: Measured | undefined;
  let broken: unknown;
  child.on('message', (message) => {
    const parsed = measured.safeParse(message);
    if (parsed.success) answer = parsed.data;
    else broken = parsed.error;
  });
  try {
    await once(child, 'exit', { signal });
  } catch (error) {
    if (interrupted.aborted) throw new Error('interrupted', { cause: error });
    if (tooLong.aborted) throw new Error(`the part ${name} did not end within ${minutes} minutes`, { cause: error });
    throw error;
  }
  if (answer && child.exitCode === 0) return answer;
  const how = child.signalCode ?? child.exitCode ?? 0;
  throw new Error(`the part ${name} ended with ${how}; what it said stands above`, { cause: broken });
}
