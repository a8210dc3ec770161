import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { measured, type Measured } from './measured.js';

const status = z.looseObject({
  ready: z.boolean(),
  heldDays: z.array(z.object({ date: z.string(), keys: z.number() })).default([]),
  workers: z.array(z.object({ pid: z.number() })).default([]),
});

const measuredMessage = z.tuple([measured], z.unknown());

const PROBE = new URL('probe.js', import.meta.url).href;
/** Often enough to tell when, and so seldom that it takes nothing worth mentioning. */
const LOOK_EVERY_MS = 250;

/** A program in a process of its own, with the probe beside it and a health listener. */
export class ProbedProcess {
  readonly #child: ChildProcess;
  readonly #health: URL;
  readonly name: string;

  /** `healthPort`: where it answers /status, on loopback. */
  constructor(name: string, script: string, env: Readonly<Record<string, string>>, healthPort: number) {
    this.name = name;
    this.#health = new URL(`http://127.0.0.1:${healthPort}/status`);
    const profiles = process.env['KEYD_BENCH_PROFILES'];
    const profiled =
      profiles === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', profiles, '--cpu-prof-name', `${name}.cpuprofile`];
    this.#child = spawn(process.execPath, [...profiled, '--expose-gc', '--import', PROBE, script], {
      env: { PATH: process.env['PATH'] ?? '', KEYD_LOG_LEVEL: 'warn', ...env },
      stdio: ['ignore', process.env['KEYD_BENCH_LOGS'] === undefined ? 'ignore' : 'inherit', 'inherit', 'ipc'],
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Itself, and the processes that share its work. */
  async pids(): Promise<readonly number[]> {
    const { workers = [] } = (await this.#status()) ?? {};
    return [this.pid, ...workers.map(({ pid }) => pid)];
  }

  async measure(): Promise<Measured> {
    const answered = once(this.#child, 'message').then((message) => measuredMessage.parse(message));
    this.#child.send('measure');
    const [answer] = await answered;
    return answer;
  }

  /** Resolves once the program answers at all. */
  async answers(): Promise<void> {
    while ((await this.#status()) === undefined) await this.#wait();
  }

  /** Resolves once the program is ready. */
  async ready(): Promise<void> {
    while ((await this.#status())?.ready !== true) await this.#wait();
  }

  /** Resolves once so many keys of the day are held. */
  async holds(keys: number, date: string): Promise<void> {
    for (;;) {
      const day = (await this.#status())?.heldDays.find((held) => held.date === date);
      if (day && day.keys >= keys) return;
      await this.#wait();
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await gone;
  }

  async #wait(): Promise<void> {
    if (this.#child.exitCode !== null) throw new Error(`${this.name} ended with ${this.#child.exitCode}`);
    await pause(LOOK_EVERY_MS);
  }

  async #status(): Promise<z.infer<typeof status> | undefined> {
    try {
      return status.parse(await (await fetch(this.#health)).json());
    } catch {
      return undefined;
    }
  }
}
