import type { Allocations } from './allocations.js';
import type { Coverage, Observation } from './coverage.js';
import { boundFor, Broken, MEMORY, WORK, type Target } from './target.js';

/** What became of one input. */
export type Trial = Observation & {
  /** The parser took it. */
  readonly isTaken: boolean;
  readonly error?: Error;
};

/** Runs inputs of one target, one at a time, and watches what they cost. */
export class Trials {
  readonly #target: Target;
  readonly #coverage: Coverage;
  readonly #allocations: Allocations;
  #count = 0;
  #taken = 0;

  constructor(target: Target, coverage: Coverage, allocations: Allocations) {
    this.#target = target;
    this.#coverage = coverage;
    this.#allocations = allocations;
  }

  get count(): number {
    return this.#count;
  }

  /** Inputs that the parser took. */
  get taken(): number {
    return this.#taken;
  }

  async run(input: Buffer): Promise<Trial> {
    this.#count += 1;
    this.#coverage.reset();
    this.#allocations.reset();
    let error: Error | undefined;
    let isTaken = false;
    try {
      const running = this.#target.run(input);
      isTaken = typeof running === 'boolean' ? running : await running;
    } catch (thrown) {
      error = thrown instanceof Error ? thrown : new Error(`what was thrown is no Error: ${String(thrown)}`);
    }
    const { largest } = this.#allocations;
    const observation = this.#coverage.observe();
    error ??= this.#costs(input, observation.statements, largest);
    if (isTaken) this.#taken += 1;
    return { ...observation, isTaken, ...(error && { error }) };
  }

  /** Whether the last input ran what these counters count. */
  hasRun(counters: readonly number[]): boolean {
    return this.#coverage.hasRun(counters);
  }

  #costs(input: Buffer, statements: number, largest: number): Error | undefined {
    const { work = WORK, memory = MEMORY } = this.#target;
    if (statements > boundFor(work, input)) {
      return new Broken(`${statements} statements for ${input.length} bytes of input`);
    }
    if (largest > boundFor(memory, input)) {
      return new Broken(`a buffer of ${largest} bytes for ${input.length} bytes of input`);
    }
    return undefined;
  }
}
