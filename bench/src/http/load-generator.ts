import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { z } from 'zod';
import { loadMessage, type LoadAnswered, type LoadSettings } from './load.js';

const PROGRAM = new URL('generate-load.js', import.meta.url);
const message = z.tuple([loadMessage], z.unknown());

/** The generator in a process of its own. */
export class LoadGenerator {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves when all requests are signed and all connections are there. */
  static async start(settings: LoadSettings): Promise<LoadGenerator> {
    const generator = new LoadGenerator(fork(PROGRAM, [JSON.stringify(settings)], { execArgv: [] }));
    await generator.#told();
    return generator;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** So many requests, as fast as they are answered. */
  async run(count: number): Promise<LoadAnswered> {
    const told = this.#told();
    this.#child.send(count);
    const answered = await told;
    if (answered === 'ready') throw new Error('the generator answered out of turn');
    return answered;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }

  async #told(): Promise<z.infer<typeof loadMessage>> {
    const ended = new AbortController();
    const gone = once(this.#child, 'exit', { signal: ended.signal }).then(([code]) => {
      throw new Error(`the generator of requests ended with ${String(code)}; what it said stands above`);
    });
    try {
      const [told] = message.parse(await Promise.race([once(this.#child, 'message', { signal: ended.signal }), gone]));
      return told;
    } finally {
      gone.catch(() => undefined);
      ended.abort();
    }
  }
}
