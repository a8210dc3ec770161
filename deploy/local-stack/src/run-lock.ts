import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { startOfProcess } from './process-start.js';
import { StackError } from './stack-error.js';

const holder = z.object({ pid: z.number().int().positive(), startedAt: z.string() });

export interface RunLock {
  /** The run before this one was killed: its processes may still be ending. */
  readonly wasAbandoned: boolean;
  release(): Promise<void>;
}

/** One run a state folder. A lock whose process is gone (kill -9) is taken over. @throws StackError while one runs */
export async function takeRunLock(file: string): Promise<RunLock> {
  const own = `${file}.${process.pid}`;
  const identity = { pid: process.pid, startedAt: (await startOfProcess(process.pid)) ?? '' };
  await writeFile(own, JSON.stringify(identity), { mode: 0o600 });
  let wasAbandoned = false;
  try {
    // A link appears with its contents, so that a lock that is there can always be read.
    while (!(await linked(own, file))) {
      const pid = await runningHolder(file);
      if (pid !== undefined) throw new StackError(alreadyRunning(pid));
      wasAbandoned = true;
      await discard(file, own);
    }
  } finally {
    await rm(own, { force: true });
  }
  return { wasAbandoned, release: () => rm(file, { force: true }) };
}

/** The process that runs a stack on this state folder now. */
export async function runningHolder(file: string): Promise<number | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    return undefined;
  }
  const held = holder.safeParse(parse(text));
  if (!held.success) return undefined;
  // The number alone would do for a process that has it by chance after a restart of the machine.
  const startedAt = await startOfProcess(held.data.pid);
  return startedAt !== undefined && startedAt === held.data.startedAt ? held.data.pid : undefined;
}

export function alreadyRunning(pid: number): string {
  return `a stack runs on this folder already (process ${pid}). Stop it, or start another: npm start -- --dir FOLDER --port-base PORT`;
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Moved before it is removed: of two that found the same abandoned lock, one moves it and the other finds none. */
async function discard(file: string, own: string): Promise<void> {
  const abandoned = `${own}.abandoned`;
  await rename(file, abandoned).catch(() => undefined);
  await rm(abandoned, { force: true });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
