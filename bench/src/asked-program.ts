import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { z } from 'zod';
import { pin } from './pinning.js';

/** A program of the bench in a process of its own, which answers each message with one. */
export class AskedProgram<Answer> {
  readonly #child: ChildProcess;
  readonly #answer: z.ZodType<readonly [Answer, ...unknown[]]>;

  /** `settings`: its one argument. `core`: where it stays, if the machine can. */
  constructor(program: URL, settings: object, answer: z.ZodType<Answer>, core: number) {
    this.#child = fork(program, [JSON.stringify(settings)], { execArgv: [] });
    this.#answer = z.tuple([answer], z.unknown());
    pin(this.#child.pid ?? 0, core);
  }

  async ask(question: string | number): Promise<Answer> {
    const over = new AbortController();
    const gone = once(this.#child, 'exit', { signal: over.signal }).then(([code]) => {
      throw new Error(`a client ended with ${String(code)}; what it said stands above`);
    });
    gone.catch(() => undefined);
    try {
      const heard = once(this.#child, 'message', { signal: over.signal });
      this.#child.send(question);
      const [answer] = this.#answer.parse(await Promise.race([heard, gone]));
      return answer;
    } finally {
      over.abort();
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.disconnect();
    await gone;
  }
}
