import { z } from 'zod';
import { accessKey, ACCESS_KEYS_PATH, createdAccessKey } from './operator-api.js';
import { accessKeyId, instant, regionName, serviceName } from './schemas.js';

/**
 * POST: the same change to many access keys, all of them or none. Answered once the feed that tells of it is served.
 * What is said twice changes nothing more: a request whose answer was lost can be sent again.
 */
export const ACCESS_KEY_CHANGES_PATH = `${ACCESS_KEYS_PATH}/changes`;
export const MOST_CHANGES_A_REQUEST = 5_000;

/** POST: a new secret (200), shown in the answer, this once. */
export const rotateAccessKeyPath = (id: string): string => `${ACCESS_KEYS_PATH}/${encodeURIComponent(id)}/rotate`;

export const ACCESS_KEY_CHANGE_KINDS = ['enable', 'disable', 'delete', 'expire', 'restrict'] as const;
export type AccessKeyChangeKind = (typeof ACCESS_KEY_CHANGE_KINDS)[number];

const names = <Name extends z.ZodType<string, string>>(name: Name) =>
  z.array(name).min(1).max(100).nullable().optional();

/** What is to become of access keys. */
export const accessKeyChange = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.enum(['enable', 'disable', 'delete']) }),
  /** Null: never. */
  z.strictObject({ kind: z.literal('expire'), expiresAt: instant.nullable() }),
  /** Null: good for all. Absent: as before. */
  z
    .strictObject({ kind: z.literal('restrict'), regions: names(regionName), services: names(serviceName) })
    .refine(({ regions, services }) => regions !== undefined || services !== undefined, 'must change something'),
]);
export type WantedAccessKeyChange = z.output<typeof accessKeyChange>;

export const changeAccessKeys = z.strictObject({
  accessKeyIds: z
    .array(accessKeyId)
    .min(1)
    .max(MOST_CHANGES_A_REQUEST)
    .refine((ids) => new Set(ids).size === ids.length, 'must not name an access key id twice'),
  change: accessKeyChange,
  /** Only say what would become of them. */
  dryRun: z.boolean().default(false),
});

export const changedAccessKeys = z.object({
  /** As they are now (or would be), in the order of the request. */
  accessKeys: z.array(accessKey),
  /** The version of the feed that tells of it; absent in a dry run. */
  version: z.number().int().positive().optional(),
});
export type ChangedAccessKeysAnswer = z.infer<typeof changedAccessKeys>;

/** The largest request or answer about so many access keys, bytes: each with two lists of a hundred names. */
export const MOST_CHANGES_BYTES = MOST_CHANGES_A_REQUEST * 16_384;

export const rotateAccessKey = z.strictObject({
  /**
   * Absent: the access key itself gets a new secret, and the old one is good no more. Given: another access key of the
   * same owner and restrictions is made, and this one ends after so many seconds, if it does not end sooner.
   */
  overlapSeconds: z
    .number()
    .int()
    .min(1)
    .max(365 * 86_400)
    .optional(),
});

export const rotatedAccessKey = z.object({
  accessKey: createdAccessKey,
  /** The one that is to end, where there is an overlap. */
  predecessor: accessKey.optional(),
});
export type RotatedAccessKey = z.infer<typeof rotatedAccessKey>;
