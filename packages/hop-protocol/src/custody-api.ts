import { z } from 'zod';
import { accessKeyId, instant } from './schemas.js';
import { custodyKeyId } from './tier-report.js';

/** What operators ask of the custody of the secrets. */
/** GET: under which keys the secrets are sealed (200). */
export const CUSTODY_PATH = '/v1/custody';
/** POST: seals a page of secrets anew with the present key (200). */
export const CUSTODY_ROTATION_PATH = '/v1/custody/rotation';

/** Ids that an answer names at most; the counts are of all. */
export const MOST_UNREADABLE_NAMED = 100;

const count = z.number().int().nonnegative();

export const custodyStatus = z.object({
  /** The key that new secrets are sealed with. */
  sealsWith: custodyKeyId,
  keys: z.array(
    z.object({
      /** Absent: sealed before keys had ids, or damaged. */
      keyId: custodyKeyId.optional(),
      secrets: count,
      /** Whether the master that answers has the key; unknown where there is no id. */
      isGiven: z.boolean().optional(),
    }),
  ),
  /** Access keys whose secret is sealed with a key that is not given, or in no known layout: the first of them. */
  unreadable: z.array(accessKeyId).max(MOST_UNREADABLE_NAMED),
});
export type CustodyStatus = z.infer<typeof custodyStatus>;

export const MOST_RESEALED_A_REQUEST = 1_000;

export const rotateCustody = z.strictObject({
  /** Continue after this access key id; the order is that of the ids. */
  after: accessKeyId.optional(),
  limit: z.number().int().min(1).max(MOST_RESEALED_A_REQUEST).default(MOST_RESEALED_A_REQUEST),
});
export type RotateCustody = z.input<typeof rotateCustody>;

export const rotatedCustody = z.object({
  sealsWith: custodyKeyId,
  resealed: count,
  /** Those of the page that do not open with any key that is given; they stay as they are. */
  unreadable: z.array(accessKeyId),
  /** Where the next page begins; absent: this was the last one. */
  next: accessKeyId.optional(),
  /** With the last page: how many secrets are not sealed with the present key. At 0 the old key may go. */
  left: count.optional(),
});
export type RotatedCustody = z.infer<typeof rotatedCustody>;

/** GET: the custody keys, wrapped for the recovery key (200). */
export const CUSTODY_RECOVERY_PATH = '/v1/custody/recovery';
export const custodyRecoveries = z.object({
  wrapped: z.array(z.object({ madeAt: instant, line: z.string().max(200) })).max(1_000),
});
export type CustodyRecoveries = z.infer<typeof custodyRecoveries>;
