import { liftStatement, revocationStatement } from '@sigv4-keyd/revocation';
import { z } from 'zod';
import { accessKeyId, instant, regionName, scopeDate, serviceName } from './schemas.js';

/** What operators ask of master-keyd about revocations and identities. */
export const REVOCATIONS_PATH = '/v1/revocations';
export const LIFTS_PATH = '/v1/lifts';
export const BANS_PATH = '/v1/identity-bans';

const spiffeId = z.string().max(2048).startsWith('spiffe://');
const incident = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be an incident id, such as INC-7');
const reason = z
  .string()
  .trim()
  .min(1)
  .max(500)
  .regex(/^[^\p{C}]*$/u, 'must be one line without control characters');

/**
 * A revocation as an operator asks for it. Without `to` it ends today, or with the newest day whose keys the scope has
 * been issued: a later day's keys never existed, so that they cannot have been stolen.
 */
export const revocationRequest = z
  .strictObject({
    accessKeyId: accessKeyId.optional(),
    region: regionName.optional(),
    service: serviceName.optional(),
    from: scopeDate,
    to: scopeDate.optional(),
    /** Access keys created at this instant or later are not hit. */
    issuedBefore: instant.optional(),
    incident,
    reason,
    /** Only say what it would hit: nothing is signed or stored. */
    dryRun: z.boolean().default(false),
  })
  .refine(({ from, to }) => to === undefined || from <= to, { path: ['to'], error: 'must not be before `from`' });
export type RevocationRequest = z.input<typeof revocationRequest>;

/** What a scope has cost or would cost: from the issuance records, not from what anyone remembers. */
export const blastRadius = z.object({
  /** Access keys that were issued for the scope, and the days they were issued for. */
  accessKeys: z.array(
    z.object({
      accessKeyId,
      owner: z.string(),
      /** Of a session: the access key that it was made of. */
      parentAccessKeyId: accessKeyId.optional(),
      dates: z.array(scopeDate),
    }),
  ),
  /** Set when the list was cut: how many access keys there are in all. */
  accessKeyCount: z.number().int(),
  /** Who was given keys of the scope: regions from the master, edges from their regions. */
  identities: z.array(z.object({ spiffeId, dates: z.array(scopeDate), firstIssuedAt: instant, lastIssuedAt: instant })),
  /** How many there are in all, where that was counted. */
  identityCount: z.number().int().optional(),
  /** Accepted signatures in the scope, as far as edges have reported. */
  acceptances: z.object({ count: z.number().int(), first: instant.optional(), last: instant.optional() }),
  /** Sentences that say what remains good, and the ways back to service. */
  remainsGood: z.array(z.string()),
});
export type BlastRadius = z.infer<typeof blastRadius>;

export const revocationAnswer = z.object({
  /** As it was (or, in a dry run, would be) signed. */
  statement: revocationStatement,
  published: z.boolean(),
  /** The scope in words. */
  scope: z.string(),
  blastRadius,
});
export type RevocationAnswer = z.infer<typeof revocationAnswer>;

export const listedRevocations = z.object({
  revocations: z.array(
    z.object({
      statement: revocationStatement,
      /** What a lift names. */
      digest: z.string(),
      scope: z.string(),
      liftedBy: liftStatement.optional(),
      keptUntil: instant,
    }),
  ),
});
export type ListedRevocations = z.infer<typeof listedRevocations>;

/** A lift that was signed with the root key on another machine. */
export const submitLift = z.strictObject({ jws: z.string().max(8192) });

/** What a lift was answered with once it was published. */
export const liftAnswer = z.object({
  lift: liftStatement,
  digest: z.string(),
  /** What it lifts, in words. */
  scope: z.string(),
});
export type LiftAnswer = z.infer<typeof liftAnswer>;

/** POST BANS_PATH: a region or an edge is shut out at the tier above it, at once. Answered with the ban. */
export const banRequest = z.strictObject({ spiffeId, reason });
/** DELETE BANS_PATH?spiffeId=...: answered with the ban that ends. */
export const unbanQuery = z.strictObject({ spiffeId });
export const identityBan = z.object({ spiffeId, reason: z.string(), by: spiffeId, at: instant });
export type IdentityBan = z.infer<typeof identityBan>;
export const listedBans = z.object({ bans: z.array(identityBan) });
export type ListedBans = z.infer<typeof listedBans>;
