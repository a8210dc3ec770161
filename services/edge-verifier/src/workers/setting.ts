import { availableParallelism } from 'node:os';
import { z } from 'zod';

const MOST_WORKERS = 256;

/** How many processes verify requests. */
export const workers = z
  .string()
  .transform((text, context): number => {
    if (text === 'auto') return availableParallelism();
    const number = /^\d{1,3}$/.test(text) ? Number(text) : 0;
    if (number >= 1 && number <= MOST_WORKERS) return number;
    context.issues.push({ code: 'custom', input: text, message: `must be auto, or from 1 to ${MOST_WORKERS}` });
    return z.NEVER;
  })
  .prefault('1')
  .describe('Processes that verify requests behind the same ports, with one set of keys; auto: one for each core')
  .meta({ names: 'processes' });
