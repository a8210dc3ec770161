/** One parser, or several that are fed alike, with what must hold for any input. */
export interface Target {
  readonly name: string;
  /** Beginnings of paths below the root, of the compiled code whose coverage leads the search. */
  readonly covers: readonly string[];
  /** Inputs that are well formed, mostly made by the project's own writers. */
  readonly seeds: readonly Input[];
  /** What is put in here and there: the words of the grammar. */
  readonly words?: readonly string[];
  /** The longest input that is made, bytes. */
  readonly mostBytes?: number;
  /** Whether an input takes so long that a tenth of the inputs has to do. */
  readonly isSlow?: true;
  /** Statements of the covered code that one input may run; more is a hang to be. */
  readonly work?: Bound;
  /** The largest buffer that one input may have allocated, bytes. */
  readonly memory?: Bound;
  /** Parses the input and checks what became of it: whether it was taken. Whatever it throws is a finding. */
  readonly run: (input: Buffer) => boolean | Promise<boolean>;
}

/** Grows with the length of the input and with nothing else. */
export interface Bound {
  readonly atLeast: number;
  readonly perByte: number;
}

/** Text is latin1: one character a byte. */
export type Input = string | Uint8Array;

export const MOST_BYTES = 512;
export const WORK: Bound = { atLeast: 20_000, perByte: 200 };
export const MEMORY: Bound = { atLeast: 64 * 1024, perByte: 64 };

export function bytesOf(input: Input): Buffer {
  return typeof input === 'string' ? Buffer.from(input, 'latin1') : Buffer.from(input);
}

/** Inputs to be made of a target where others get so many. */
export function runsOf({ isSlow }: Target, runs: number): number {
  return isSlow ? Math.ceil(runs / 10) : runs;
}

export function boundFor({ atLeast, perByte }: Bound, input: Buffer): number {
  return atLeast + perByte * input.length;
}

/** A property of a target that does not hold. */
export class Broken extends Error {
  override readonly name = 'Broken';
}

/** Ends the run of an input where a property does not hold. */
export function hold(condition: boolean, property: string): asserts condition {
  if (!condition) throw new Broken(property);
}
