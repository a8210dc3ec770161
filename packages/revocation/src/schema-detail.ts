import type { z } from 'zod';

const MOST_ISSUES = 3;

/** Names the parts that a schema refused, never their values: a key file's value may be a private key. */
export function schemaDetail(error: z.ZodError): string {
  return error.issues
    .slice(0, MOST_ISSUES)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ');
}
