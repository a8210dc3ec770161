import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { StackFacts } from '@sigv4-keyd/local-stack';
import type { Test } from 'tap';
import { withNodeOptions } from '../support/own-node-options.js';

const program = (name: string): string =>
  fileURLToPath(new URL(`${name}.js`, import.meta.resolve('@sigv4-keyd/local-stack')));

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A process of `npm start` (or of what launches it), and all that it said. */
export class StackProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  out = '';
  err = '';
  readonly #heard = new Set<() => void>();

  constructor(t: Test, argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const [command, ...args] = withNodeOptions('', argv);
    this.child = spawn(command, args, {
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.child.stdout?.on('data', (chunk: Buffer) => this.#hear('out', chunk.toString()));
    this.child.stderr?.on('data', (chunk: Buffer) => this.#hear('err', chunk.toString()));
    this.ended = once(this.child, 'close').then(() => {
      this.#hear('out', '');
      return { code: this.child.exitCode, out: this.out, err: this.err };
    });
    t.teardown(async () => {
      if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGTERM');
      await this.ended;
    });
  }

  static start(t: Test, args: readonly string[], env: Readonly<Record<string, string>> = {}): StackProcess {
    return new StackProcess(t, [process.execPath, program('start'), ...args], env);
  }

  /** What Ctrl-C does: all processes that it has started are told, too. */
  interrupt(): void {
    if (this.child.exitCode === null && this.child.signalCode === null) process.kill(-this.pid, 'SIGINT');
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Resolves once what was said so far has this in it; rejects when the process ends without having said it. */
  async says(what: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = what.exec(this.out) ?? what.exec(this.err);
      if (found) return found;
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`ended with ${this.child.exitCode} before it said ${what}:\n${this.out}\n${this.err}`);
      }
      await new Promise<void>((resolve) => this.#heard.add(resolve));
    }
  }

  /** What `--json` printed once everything was up. */
  async facts(): Promise<StackFacts> {
    const [line] = await this.says(/^\{.*\}\n/m);
    return JSON.parse(line) as StackFacts;
  }

  #hear(stream: 'out' | 'err', text: string): void {
    this[stream] += text;
    for (const resolve of this.#heard) resolve();
    this.#heard.clear();
  }
}

export function runReset(t: Test, args: readonly string[]): Promise<Ended> {
  return new StackProcess(t, [process.execPath, program('reset'), ...args]).ended;
}

export function runTour(t: Test, args: readonly string[]): Promise<Ended> {
  return new StackProcess(t, [process.execPath, program('tour'), ...args]).ended;
}

/** A process that starts the stack as npm does. */
export function startLikeNpm(
  t: Test,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): StackProcess {
  return runLikeNpm(t, 'start', [program('start'), ...args], env);
}

/** A process that starts a program as npm does, and can be killed like it. It says the pid of what it started. */
export function runLikeNpm(
  t: Test,
  script: string,
  [file = '', ...args]: readonly string[],
  env: Readonly<Record<string, string>> = {},
): StackProcess {
  const launch = `
    const { spawn } = require('node:child_process');
    const child = spawn(process.execPath, process.argv.slice(1), { stdio: 'inherit' });
    console.log('started as ' + child.pid);
    process.on('SIGTERM', () => child.kill('SIGTERM'));
    child.on('exit', (code) => process.exit(code ?? 1));`;
  const argv = [process.execPath, '-e', launch, '--', file, ...args];
  return new StackProcess(t, argv, { ...env, npm_lifecycle_event: script });
}

/** Every process that this one has started. */
export function childrenOf(pid: number): readonly number[] {
  const all = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const pairs = all.map((line) => line.trim().split(/\s+/).map(Number));
  return pairs.flatMap(([child = 0, parent]) => (parent === pid ? [child] : []));
}

/** Resolves when none of these processes is left; what never goes makes the test time out, and is ended after it. */
export async function untilGone(t: Test, pids: readonly number[]): Promise<void> {
  const over = new AbortController();
  t.teardown(() => {
    over.abort();
    for (const pid of pids.filter(isRunning)) process.kill(pid, 'SIGKILL');
  });
  while (!over.signal.aborted && pids.some(isRunning)) await new Promise((resolve) => setTimeout(resolve, 20));
}

function isRunning(pid: number): boolean {
  try {
    const state = execFileSync('ps', ['-p', String(pid), '-o', 'stat='], { encoding: 'utf8' });
    return !state.trim().startsWith('Z');
  } catch {
    return false;
  }
}
