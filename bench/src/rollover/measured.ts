import { z } from 'zod';

/** What a process took. */
export const measured = z.object({
  /** The longest time that its event loop was busy with one thing since the last question, milliseconds. */
  longestStallMs: z.number(),
  /** Processor time, user and system, since the last question, milliseconds. */
  processorMs: z.number(),
  /** The most memory that it had at any time, as the system sees it. */
  peakBytes: z.number(),
  /** Heap and external memory that are still in use, after a collection. */
  liveBytes: z.number(),
});
export type Measured = z.infer<typeof measured>;
