import type { Allocations } from './allocations.js';
import { COARSE, Coverage } from './coverage.js';
import { smallest } from './smallest.js';
import { bytesOf, type Target } from './target.js';
import { Trials } from './trial.js';

/**
 * Of the inputs, the shortest ones first, those that reach what neither the seeds nor those before them reach; without
 * whatever in them adds nothing to it.
 */
export async function furthest(
  target: Target,
  inputs: readonly Buffer[],
  allocations: Allocations,
): Promise<readonly Buffer[]> {
  const trials = new Trials(target, new Coverage(target.covers, COARSE), allocations);
  for (const seed of target.seeds) await trials.run(bytesOf(seed));
  const shrinking = new Trials(target, new Coverage(target.covers, COARSE), allocations);
  const further: Buffer[] = [];
  for (const input of inputs.toSorted((one, other) => one.length - other.length)) {
    const { fresh, error } = await trials.run(input);
    if (fresh.length === 0 || error !== undefined) continue;
    const reachesAsFar = async (candidate: Buffer): Promise<boolean> =>
      (await shrinking.run(candidate)).error === undefined && shrinking.hasRun(fresh);
    further.push(await smallest(input, reachesAsFar));
  }
  return further;
}
