import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { crowdAnswer, type CrowdAnswer, type CrowdOptions, type CrowdQuestion } from './crowd-messages.js';

const PROGRAM = fileURLToPath(new URL('crowd-program.js', import.meta.url));

/** Simulated edges of one region, in a process of their own. */
export class EdgeCrowd {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves when every edge has a beacon. */
  static async connect(options: CrowdOptions): Promise<EdgeCrowd> {
    const child = spawn(process.execPath, ['--max-old-space-size=8192', PROGRAM], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const crowd = new EdgeCrowd(child);
    const connected = crowd.#hear('connected');
    crowd.#ask({ is: 'connect', options });
    await connected;
    return crowd;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves when the next statements will be noted; `taken` to the moments at which each edge took them. */
  async watch(): Promise<{ readonly taken: Promise<readonly number[]> }> {
    const watching = this.#hear('watching');
    this.#ask({ is: 'watch' });
    await watching;
    const taken = this.#hear('taken').then((answer) => (answer.is === 'taken' ? answer.at : []));
    return { taken };
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.disconnect();
    await gone;
  }

  #ask(question: CrowdQuestion): void {
    this.#child.send(question);
  }

  #hear(is: CrowdAnswer['is']): Promise<CrowdAnswer> {
    return new Promise((resolve, reject) => {
      const onMessage = (message: unknown): void => {
        const answer = crowdAnswer.parse(message);
        if (answer.is !== is) return;
        end();
        resolve(answer);
      };
      const onExit = (code: number | null): void => {
        end();
        reject(new Error(`the simulated edges ended with ${code ?? 'a signal'}`));
      };
      const end = (): void => {
        this.#child.off('message', onMessage);
        this.#child.off('exit', onExit);
      };
      this.#child.on('message', onMessage);
      this.#child.on('exit', onExit);
    });
  }
}
