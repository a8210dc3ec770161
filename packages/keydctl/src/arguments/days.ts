import { z } from 'zod';

/** A validity of a certificate: whole days, at most 20 years. */
export const days = z
  .string()
  .regex(/^[1-9]\d{0,3}$/, 'must be a whole number of days')
  .transform(Number)
  .refine((count) => count <= 7_300, 'must be at most 7300 days');
