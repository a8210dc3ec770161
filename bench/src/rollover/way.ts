import type { Measured } from './measured.js';
import type { ProbedProcess } from './probed-process.js';

/** What a tier took for holding the keys. */
export interface TierCost {
  readonly bytesAKey: number;
  readonly processorMicrosecondsAKey: number;
  readonly longestStallMs: number;
  readonly peakBytes: number;
}

/** One way of bringing a day down, measured. Times are seconds. */
export interface WayMeasured {
  /** From when a region answers until it holds all keys, with no edge below it. */
  readonly masterToRegion: number;
  /** The same of one more edge, with everything at the region. */
  readonly regionToEdge: number;
  /** From the start of region and edges, processes included, until the last edge holds all keys. */
  readonly untilLastEdge: number;
  readonly master: Omit<TierCost, 'bytesAKey'>;
  readonly region: TierCost;
  readonly edge: TierCost;
}

export interface Rollover {
  readonly keys: number;
  readonly edges: number;
}

export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}

/** From the first answer of a process until it holds all keys. */
export async function secondsUntilHeld(process: ProbedProcess, keys: number, date: string): Promise<number> {
  await process.answers();
  // What starting took is not what keys cost.
  await process.measure();
  return secondsOf(() => process.holds(keys, date));
}

/** What the keys cost beyond the process that holds none. */
export async function costOf(process: ProbedProcess, empty: Measured, keys: number): Promise<TierCost> {
  const { liveBytes, ...taken } = await process.measure();
  return { bytesAKey: (liveBytes - empty.liveBytes) / keys, ...effortOf(taken, keys) };
}

export function effortOf(taken: Omit<Measured, 'liveBytes'>, keys: number): Omit<TierCost, 'bytesAKey'> {
  const { processorMs, longestStallMs, peakBytes } = taken;
  return { processorMicrosecondsAKey: (processorMs * 1000) / keys, longestStallMs, peakBytes };
}
