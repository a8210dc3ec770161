import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { CrowdTooLarge } from './crowd-too-large.js';
import { crowdAnswer, type CrowdAnswer, type CrowdOptions, type CrowdQuestion } from './crowd-messages.js';

const PROGRAM = fileURLToPath(new URL('crowd-program.js', import.meta.url));

/** Of a quiet machine, many times what is needed: with a core that is asked for more than it has, there is no end. */
const LONGEST_SECONDS = { connecting: 240, taking: 60 } as const;

/** Simulated edges of one region, in a process of their own. */
export class EdgeCrowd {
  readonly #child: ChildProcess;
  readonly #edges: number;
  #connected = 0;

  private constructor(child: ChildProcess, edges: number) {
    this.#child = child;
    this.#edges = edges;
  }

  /** Resolves when every edge has a beacon. Rejects with CrowdTooLarge. */
  static async connect(options: CrowdOptions): Promise<EdgeCrowd> {
    const child = spawn(process.execPath, ['--max-old-space-size=8192', PROGRAM], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const crowd = new EdgeCrowd(child, options.edges);
    const connected = crowd.#hear('connected', LONGEST_SECONDS.connecting);
    crowd.#ask({ is: 'connect', options });
    try {
      await connected;
      return crowd;
    } catch (error) {
      await crowd.close();
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /**
   * Resolves when the next statements will be noted; `taken` to the moments at which each edge took them. Both reject
   * with CrowdTooLarge.
   */
  async watch(): Promise<{ readonly taken: Promise<readonly number[]> }> {
    const watching = this.#hear('watching', LONGEST_SECONDS.taking);
    this.#ask({ is: 'watch' });
    await watching;
    const taken = this.#hear('taken', LONGEST_SECONDS.taking).then((answer) =>
      answer.is === 'taken' ? answer.at : [],
    );
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

  #hear(is: 'connected' | 'watching' | 'taken', seconds: number): Promise<CrowdAnswer> {
    return new Promise((resolve, reject) => {
      const tooLong = setTimeout(() => {
        end();
        const beacons = `${this.#connected.toLocaleString('en')} of ${this.#edges.toLocaleString('en')}`;
        reject(new CrowdTooLarge(`not all were ${is} within ${seconds} s; ${beacons} had a beacon`));
      }, seconds * 1000);
      const onMessage = (message: unknown): void => {
        const answer = crowdAnswer.parse(message);
        if (answer.is === 'connecting') this.#connected = answer.edges;
        if (answer.is === 'connected') this.#connected = this.#edges;
        if (answer.is !== is) return;
        end();
        resolve(answer);
      };
      const onExit = (code: number | null): void => {
        end();
        reject(new Error(`the simulated edges ended with ${code ?? 'a signal'}`));
      };
      const end = (): void => {
        clearTimeout(tooLong);
        this.#child.off('message', onMessage);
        this.#child.off('exit', onExit);
      };
      this.#child.on('message', onMessage);
      this.#child.on('exit', onExit);
    });
  }
}
