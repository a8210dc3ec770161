import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { withNodeOptions } from './own-node-options.js';

/** Waits for what other processes bring about. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause(20);
}

/** A program that is killed and started again. */
export class Victim {
  readonly #start: () => ChildProcess;
  #child: ChildProcess | undefined;

  constructor(t: Test, start: () => ChildProcess) {
    this.#start = start;
    t.teardown(() => this.kill());
  }

  get child(): ChildProcess | undefined {
    return this.#child;
  }

  start(): ChildProcess {
    this.#child = this.#start();
    return this.#child;
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** In its own order. */
  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }
}

/** The program of a service. */
export function mainOf(service: string): string {
  return fileURLToPath(new URL('main.js', import.meta.resolve(`@sigv4-keyd/${service}`)));
}

/** A service of the project as a process of its own. `log`: descriptor of a file; absent: nobody reads its log. */
export function serviceProcess(
  t: Test,
  name: string,
  env: Readonly<Record<string, string>>,
  log?: number,
  args: readonly string[] = [],
): Victim {
  return new Victim(t, () => startProgram([mainOf(name), ...args], env, log));
}

/** Starts a program of Node.js, with this environment and nothing of the test runner's. `log`: as above. */
export function startProgram(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  log?: number,
): ChildProcess {
  const { NODE_OPTIONS: options = '', ...settings } = env;
  const [program, ...args] = withNodeOptions(options, [process.execPath, ...command]);
  const given = { PATH: process.env['PATH'] ?? '', ...settings };
  const stdio = ['ignore', log ?? 'ignore', log ?? 'inherit'] as const;
  return spawn(program, args, { env: given, stdio: [...stdio] });
}
