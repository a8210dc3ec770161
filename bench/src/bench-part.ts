import { z } from 'zod';
import type { Goal } from './goals.js';
import type { Measured } from './measured.js';

/** `tiny` runs every step, in milliseconds: its figures say nothing. */
export const SCALES = ['whole', 'quick', 'tiny'] as const;

export const benchOptions = z.strictObject({
  scale: z.enum(SCALES),
  /** Access keys, where a part has a number of them. */
  keys: z.number().int().positive().optional(),
  /** Edges, where a part has a number of them; one figure a number. */
  edges: z.array(z.number().int().positive()).readonly().optional(),
  /** Ports above it are taken. */
  portBase: z.number().int(),
});
export type BenchOptions = z.infer<typeof benchOptions>;

/** One part of the bench. It runs in a process of its own. */
export interface BenchPart {
  /** One line for `--help`. */
  readonly about: string;
  readonly goals: readonly Goal[];
  run(options: BenchOptions): Promise<Measured>;
}
