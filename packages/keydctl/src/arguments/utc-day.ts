import { isScopeDate, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import { z } from 'zod';

const FORM = 'must be a UTC day, such as 2026-11-01';

/** A UTC day as people write it, `2026-11-01`; `20261101`, as credential scopes have it, is taken, too. */
export const utcDay = z.string().transform((text, context): ScopeDate => {
  const compact = /^\d{4}-\d{2}-\d{2}$/.test(text) ? text.replaceAll('-', '') : text;
  if (isScopeDate(compact)) return compact;
  context.issues.push({ code: 'custom', input: text, message: FORM });
  return z.NEVER;
});
