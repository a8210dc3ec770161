import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { keyInHex, type MeasuredRequest } from './measured-requests.js';

const SOURCE = fileURLToPath(new URL('../../src/verification/floor.c', import.meta.url));

/** The floor as a program of its own. */
export interface CFloor {
  /** Nanoseconds of CPU time that so many verifications take. */
  readonly run: (verifications: number) => Promise<number>;
  readonly stop: () => void;
}

/** Undefined, with a word of why, where there is no C compiler or no OpenSSL to link with. */
export class CCompiler {
  readonly #folder = mkdtempSync(join(tmpdir(), 'keyd-floor-'));
  readonly #program = join(this.#folder, 'floor');
  /** Why there is no floor. */
  readonly lacks: string | undefined;

  constructor() {
    try {
      execFileSync('cc', ['-O3', '-march=native', '-o', this.#program, SOURCE, '-lcrypto'], { stdio: 'pipe' });
    } catch (error) {
      this.lacks = error instanceof Error ? (error.message.split('\n')[1] ?? error.message) : 'cc failed';
    }
  }

  start({ head, key }: MeasuredRequest): CFloor {
    const lines = [`${head.method} ${head.target} HTTP/1.1`];
    for (let at = 0; at < head.rawHeaders.length; at += 2) {
      lines.push(`${head.rawHeaders[at] ?? ''}: ${head.rawHeaders[at + 1] ?? ''}`);
    }
    const child = spawn(this.#program, [keyInHex(key), `${lines.join('\r\n')}\r\n\r\n`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return {
      async run(verifications) {
        child.stdin.write(`${verifications}\n`);
        const answer = await answers.next();
        if (answer.done === true) throw new Error('the floor refused the request');
        return Number(answer.value);
      },
      stop: () => child.stdin.end(),
    };
  }

  clean(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
