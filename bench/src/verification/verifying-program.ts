import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A verifier in another language, as a process of its own. */
export interface VerifyingProgram {
  /** Nanoseconds of CPU time that so many verifications take. */
  readonly run: (verifications: number) => Promise<number>;
  readonly stop: () => Promise<void>;
}

/** Starts one that answers each line, a number of verifications, with what they took. `first`: a line before these. */
export function startVerifying(program: string, args: readonly string[], first?: string): VerifyingProgram {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  if (first !== undefined) child.stdin.write(`${first}\n`);
  return {
    async run(verifications) {
      child.stdin.write(`${verifications}\n`);
      const answer = await answers.next();
      if (answer.done === true) throw new Error(`${program} refused a good request`);
      return Number(answer.value);
    },
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}
