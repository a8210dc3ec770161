import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Test } from 'tap';
import { startProgram, until, Victim } from '../support/victim.js';
import type { Programs, Service } from './release-programs.js';

export interface TierOptions {
  readonly service: Service;
  readonly env: Readonly<Record<string, string>>;
  /** HOST:PORT of its health listener. */
  readonly health: string;
  /** The file that it logs to. */
  readonly logFile: string;
}

interface TierStatus {
  readonly ready: boolean;
  readonly keyCache?: { readonly isBehind: boolean };
}

/** A tier whose program is replaced by that of another release, over the same state folder and on the same ports. */
export class ReplaceableTier {
  readonly #options: TierOptions;
  readonly #victim: Victim;
  #programs: Programs | undefined;

  constructor(t: Test, options: TierOptions) {
    this.#options = options;
    this.#victim = new Victim(t, () => {
      const log = openSync(options.logFile, 'a');
      const main = this.#programs?.main(options.service) ?? '';
      const child = startProgram([main], { ...options.env, KEYD_HEALTH_LISTEN: options.health }, log);
      closeSync(log);
      return child;
    });
  }

  /** Resolves once it is ready. Rejects with the end of its log when it ends instead. */
  async start(programs: Programs): Promise<void> {
    this.#programs = programs;
    const child = this.#victim.start();
    await until(async () => {
      if (child.exitCode !== null) throw new Error(this.#log().slice(-2_000));
      return this.status().then(
        ({ ready }) => ready,
        () => false,
      );
    });
  }

  stop(): Promise<void> {
    return this.#victim.stop();
  }

  /** Resolves once what it holds is on disk, too. */
  untilKept(): Promise<void> {
    return until(async () => (await this.status()).keyCache?.isBehind !== true);
  }

  /** Resolves to the lines of its log that are of the new program. */
  async replaceWith(programs: Programs): Promise<readonly string[]> {
    await this.stop();
    const before = this.#log().length;
    await this.start(programs);
    return this.#log().slice(before).trim().split('\n');
  }

  async status(): Promise<TierStatus> {
    const answer = await fetch(`http://${this.#options.health}/status`);
    return (await answer.json()) as TierStatus;
  }

  #log(): string {
    return readFileSync(this.#options.logFile, 'utf8');
  }
}
