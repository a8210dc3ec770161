import { figureOf } from '../distribution.js';
import type { Figure } from '../measured.js';
import type { Work } from './contenders.js';
import type { VerifyingProgram } from './verifying-program.js';

const ROUNDS = 25;
const WARMING_ROUNDS = 3;
const BATCH = 50;
/** Of the programs, which answer once for all of a turn. */
const VERIFICATIONS_A_MILLISECOND = 200;

/**
 * Short turns in rotation, so that a busy moment of the machine hits all alike. CPU time, not wall time: what else runs
 * on the machine does not count. Microseconds each. `milliseconds`: of each contender.
 */
export async function interleaved(
  contenders: Readonly<Record<string, Work>>,
  programs: ReadonlyMap<string, VerifyingProgram>,
  milliseconds: number,
): Promise<ReadonlyMap<string, Figure>> {
  const turns = new Map<string, number[]>();
  const note = (name: string, each: number): void => {
    turns.set(name, [...(turns.get(name) ?? []), each]);
  };
  const share = milliseconds / ROUNDS;
  for (let round = -WARMING_ROUNDS; round < ROUNDS; round += 1) {
    for (const [name, work] of Object.entries(contenders)) {
      const each = await turn(work, share);
      if (round >= 0) note(name, each);
    }
    const verifications = Math.ceil(share * VERIFICATIONS_A_MILLISECOND);
    for (const [name, program] of programs) {
      const nanoseconds = await program.run(verifications);
      if (round >= 0) note(name, nanoseconds / 1_000 / verifications);
    }
  }
  return new Map([...turns].map(([name, each]) => [name, figureOf(each)]));
}

async function turn(work: Work, milliseconds: number): Promise<number> {
  const end = performance.now() + milliseconds;
  const begin = process.cpuUsage();
  let done = 0;
  while (performance.now() < end) {
    for (let batch = 0; batch < BATCH; batch += 1) {
      const outcome = work(done);
      if (outcome instanceof Promise) await outcome;
      done += 1;
    }
  }
  const { user, system } = process.cpuUsage(begin);
  return (user + system) / done;
}
