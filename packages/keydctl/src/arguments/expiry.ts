import { z } from 'zod';
import { usageError } from '../command-line/command-error.js';
import { readSpan } from './span.js';

type Expiry = { readonly at: number } | { readonly inMs: number };

/** A span from now (`12h`, `90d`, `4w`), a UTC day (its first instant) or an instant in ISO 8601. */
export const expiry = z.string().transform((text, context): Expiry => {
  const inMs = readSpan(text);
  if (inMs !== undefined) return { inMs };
  if (z.iso.date().safeParse(text).success || z.iso.datetime({ offset: true }).safeParse(text).success) {
    return { at: Date.parse(text) };
  }
  context.issues.push({
    code: 'custom',
    input: text,
    message: 'must be like 90d, 12h, 2026-12-31 or 2026-12-31T18:00:00Z',
  });
  return z.NEVER;
});

/** The instant at which an access key expires, ISO 8601; it must lie ahead. `now` in epoch milliseconds. */
export function expiresAt(given: Expiry, now: number, option = '--expires'): string {
  const at = 'at' in given ? given.at : now + given.inMs;
  if (at > now) return new Date(at).toISOString();
  throw usageError(
    `${option} lies in the past (${new Date(at).toISOString()})`,
    'Give an instant to come, or a span such as 90d',
  );
}
