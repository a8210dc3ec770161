import { z } from 'zod';

/** An instant, a UTC day (its first instant) or `now`, the instant at which the command runs. */
export const issuedBefore = z.string().transform((text, context): 'now' | number => {
  if (text === 'now') return 'now';
  if (z.iso.date().safeParse(text).success || z.iso.datetime({ offset: true }).safeParse(text).success) {
    return Date.parse(text);
  }
  context.issues.push({ code: 'custom', input: text, message: 'must be now, 2026-11-22 or 2026-11-22T08:30:00Z' });
  return z.NEVER;
});
