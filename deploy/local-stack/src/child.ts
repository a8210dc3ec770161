import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { StackError } from './stack-error.js';

export interface ChildProgram {
  readonly name: string;
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
  /** Whether it can say what it has to reach; it is started with no more, where Node.js has its permission model. */
  readonly confinesItself: boolean;
  /** Answers 200 once the child can do its work. */
  readonly ready: string;
}

export interface ChildSurroundings {
  readonly logs: string;
  readonly signal: AbortSignal;
  /** Told once when the child ends without having been asked to. */
  readonly onUnexpectedExit: (error: StackError) => void;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 90_000;
const STOP_WITHIN_MS = 12_000;
const TETHER = new URL('tether.js', import.meta.url);

/** Starts a process of its own and waits until it is ready. It ends with this process, whatever ends that. */
export async function startChild(program: ChildProgram, surroundings: ChildSurroundings): Promise<Child> {
  const logFile = join(surroundings.logs, `${program.name}.log`);
  const child = launch(program, await confinementOf(program), logFile);
  let isAskedToStop = false;
  child.once('error', (error) =>
    surroundings.onUnexpectedExit(new StackError(`${program.name} cannot be started: ${error.message}`)),
  );
  child.once('exit', (code, signal) => {
    if (isAskedToStop) return;
    void endOf(logFile).then((lines) =>
      surroundings.onUnexpectedExit(ended(program.name, code ?? signal, logFile, lines)),
    );
  });
  async function stop(): Promise<void> {
    isAskedToStop = true;
    await end(child);
  }
  try {
    await untilReady(program, surroundings.signal);
  } catch (error) {
    await stop();
    throw error;
  }
  return { name: program.name, pid: child.pid ?? 0, stop };
}

/** The options of Node.js that keep the program to what its settings name. */
async function confinementOf({ script, env, confinesItself }: ChildProgram): Promise<readonly string[]> {
  if (!confinesItself || !process.allowedNodeEnvironmentFlags.has('--permission')) return [];
  const { stdout } = await promisify(execFile)(process.execPath, [script, '--node-options'], { env });
  return [...stdout.trim().split('\n'), `--allow-fs-read=${fileURLToPath(TETHER)}`];
}

function launch({ script, env }: ChildProgram, options: readonly string[], logFile: string): ChildProcess {
  const log = openSync(logFile, 'w', 0o600);
  try {
    return spawn(process.execPath, [...options, '--import', TETHER.href, script], {
      // From scratch: what a service is given is seen here, and nothing of the caller's shell reaches it.
      env: { PATH: process.env['PATH'], ...env },
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      // Its own process group: Ctrl-C reaches this process alone, which then stops the others in their order.
      detached: true,
      stdio: ['ignore', log, log, 'ipc'],
    });
  } finally {
    closeSync(log);
  }
}

async function untilReady({ name, ready }: ChildProgram, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  let last = 'it does not answer';
  for (;;) {
    signal.throwIfAborted();
    try {
      const answer = await fetch(ready, { signal });
      const text = await answer.text();
      if (answer.ok) return;
      last = text;
    } catch {
      // Not listening yet; whether it still runs is seen to elsewhere.
    }
    if (Date.now() > deadline) throw new StackError(`${name} is not ready after ${READY_WITHIN_MS / 1000} s: ${last}`);
    await pause(25, undefined, { signal });
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const patience = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  await exit;
  clearTimeout(patience);
}

function ended(name: string, how: number | string | null, logFile: string, lines: string): StackError {
  return new StackError(`${name} ended (${String(how)}). The end of ${logFile}:\n${lines}`);
}

const LINES = 15;

async function endOf(logFile: string): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-LINES).join('\n');
}
