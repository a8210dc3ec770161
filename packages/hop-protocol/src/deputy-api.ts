import { z } from 'zod';
import { instant, scopeDate } from './schemas.js';

/**
 * Deputies. A deputy is given kDate of the days that operators named, and serves regions for those days while no master
 * can be reached.
 */
/** POST grants days (201), GET lists all grants that were ever made, DELETE of ?deputy=... withdraws its grants. */
export const DEPUTY_GRANTS_PATH = '/v1/deputy-grants';
/** GET: what a deputy itself may have at present. */
export const OWN_GRANTS_PATH = '/v1/deputy-grants/own';

/** The most days of one grant. */
export const MOST_DAYS_A_GRANT = 7;
/** The last day that can be granted lies so many days after today. */
export const MOST_GRANT_DAYS_AHEAD = 7;

const spiffeId = z.string().max(2048).startsWith('spiffe://');
const reason = z
  .string()
  .trim()
  .min(1)
  .max(500)
  .regex(/^[^\p{C}]*$/u, 'must be one line without control characters');

/** UTC days, both included. */
export const grantedDays = z.object({ from: scopeDate, to: scopeDate });
export type GrantedDays = z.infer<typeof grantedDays>;

export const deputyGrantRequest = z
  .strictObject({ deputy: spiffeId, ...grantedDays.shape, reason })
  .refine(({ from, to }) => from <= to, { path: ['to'], error: 'must not be before `from`' });
export type DeputyGrantRequest = z.infer<typeof deputyGrantRequest>;

export const deputyGrant = grantedDays.extend({
  deputy: spiffeId,
  reason: z.string(),
  by: spiffeId,
  at: instant,
  withdrawn: z.object({ by: spiffeId, at: instant }).optional(),
});
export type DeputyGrant = z.infer<typeof deputyGrant>;

export const listedDeputyGrants = z.object({
  /** Whether this master hands out kDate at all. */
  isAllowed: z.boolean(),
  /** The newest last. */
  grants: z.array(deputyGrant),
});
export type ListedDeputyGrants = z.infer<typeof listedDeputyGrants>;

export const withdrawQuery = z.strictObject({ deputy: spiffeId });
/** What was withdrawn. */
export const withdrawnGrants = z.object({ grants: z.array(deputyGrant) });
export type WithdrawnGrants = z.infer<typeof withdrawnGrants>;

export const ownGrants = z.object({ grants: z.array(grantedDays).max(1_000) });
