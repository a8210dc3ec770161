import { Dice } from './dice.js';
import { mutated } from './mutations.js';
import { smallest } from './smallest.js';
import { MOST_BYTES, type Target } from './target.js';
import type { Trial, Trials } from './trial.js';

export interface Exploration {
  /** Those that it began with, and inputs that ran something new. */
  readonly pool: readonly Buffer[];
  readonly finding?: Finding;
}

/** An input that breaks a property, made as small as it gets. */
export interface Finding {
  readonly input: Buffer;
  readonly error: Error;
}

export interface Exploring {
  readonly inputs: readonly Buffer[];
  /** Inputs that are made, beside those that it begins with. */
  readonly runs: number;
  readonly seed: number;
  /** Told each input before it is run. */
  readonly onInput?: (input: Buffer) => void;
}

/** Enough to lose most of what is needless; more is spent on what is found or kept for good. */
const TRIALS_TO_SHRINK = 64;

/**
 * The search: inputs that ran something new are kept, and changed further. Ends at the first finding. The same seed
 * makes the same search.
 */
export async function explore(
  target: Pick<Target, 'words' | 'mostBytes'>,
  trials: Pick<Trials, 'run' | 'hasRun'>,
  { inputs, runs, seed, onInput }: Exploring,
): Promise<Exploration> {
  const dice = new Dice(seed);
  const pool = [...inputs];
  const taken: Buffer[] = [];
  const words = (target.words ?? []).map((word) => Buffer.from(word, 'latin1'));
  const mostBytes = target.mostBytes ?? MOST_BYTES;
  let broken: Finding | undefined;
  let made = -inputs.length;
  const run = async (input: Buffer): Promise<Trial> => {
    made += 1;
    onInput?.(input);
    const trial = await trials.run(input);
    if (trial.error !== undefined) broken ??= { input, error: trial.error };
    return trial;
  };
  for (const input of inputs) if ((await run(input)).isTaken) taken.push(input);
  while (made < runs && broken === undefined) {
    const input = mutated(parentFrom(pool, taken, dice), { dice, words, others: pool, mostBytes });
    const { fresh, isTaken } = await run(input);
    if (fresh.length === 0) continue;
    if (isTaken) taken.push(input);
    // What is short is changed where it matters.
    const reachesAsFar = async (shorter: Buffer): Promise<boolean> => {
      const trial = await run(shorter);
      if (trial.fresh.length > 0) pool.push(shorter);
      return trials.hasRun(fresh);
    };
    pool.push(await smallest(input, reachesAsFar, TRIALS_TO_SHRINK));
  }
  if (broken === undefined) return { pool };
  const { input, error } = broken;
  const isStillBroken = async (shorter: Buffer): Promise<boolean> => isSame((await trials.run(shorter)).error, error);
  return { pool, finding: { input: await smallest(input, isStillBroken), error } };
}

/**
 * Half of the time one that was taken: what is close to it may be taken too, and most properties are of such inputs.
 * Else one of all, or of the newest, since what led further may lead further still; of two the shorter.
 */
function parentFrom(pool: readonly Buffer[], taken: readonly Buffer[], dice: Dice): Buffer {
  const throwOf = dice.below(4);
  if (throwOf < 2 && taken.length > 0) return dice.oneOf(taken) ?? Buffer.alloc(0);
  const from = throwOf % 2 === 0 ? pool : pool.slice(-Math.ceil(pool.length / 8));
  const [one = Buffer.alloc(0), other = one] = [dice.oneOf(from), dice.oneOf(from)];
  return one.length <= other.length ? one : other;
}

/** Numbers in messages are sizes, which shrink along. */
function isSame(one: Error | undefined, other: Error): boolean {
  return one?.name === other.name && withoutNumbers(one.message) === withoutNumbers(other.message);
}

function withoutNumbers(text: string): string {
  return text.replaceAll(/\d+/g, '0');
}
