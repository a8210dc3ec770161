import { ACCESS_KEY_STATUSES } from '@sigv4-keyd/revocation';
import { z } from 'zod';
import { accessKeyId, instant, regionName, serviceName, sessionName } from './schemas.js';
import { grantedDays } from './deputy-api.js';
import { edgeReport, shownRegionReport } from './tier-report.js';

/** What operators ask of master-keyd. keydctl and the service read this one definition. */
/** POST creates (201, with the secret), GET lists; GET of ID below it shows one (200). */
export const ACCESS_KEYS_PATH = '/v1/access-keys';
/** POST imports an access key made elsewhere: 201, without the secret. */
export const ACCESS_KEY_IMPORT_PATH = '/v1/access-keys/import';
export const STATUS_PATH = '/v1/status';

/** POST pins or unpins many access keys at once, all of them or none (200). */
export const ACCESS_KEY_PIN_PATHS = { pin: '/v1/access-keys/pin', unpin: '/v1/access-keys/unpin' } as const;
export type AccessKeyPinAction = keyof typeof ACCESS_KEY_PIN_PATHS;
export const MOST_PINS_A_REQUEST = 1_000;

export const accessKeyStatus = z.enum(ACCESS_KEY_STATUSES);
export { type AccessKeyStatus } from '@sigv4-keyd/revocation';

export const accessKey = z.object({
  accessKeyId,
  owner: z.string(),
  status: accessKeyStatus,
  createdAt: instant,
  expiresAt: instant.optional(),
  regions: z.array(regionName).optional(),
  services: z.array(serviceName).optional(),
  version: z.number().int().positive(),
  /** Its keys of each day are fetched by the tiers of its scope without having been used there. */
  pinned: z.boolean().default(false),
  /** Of a session: the access key that it was made of, and for whom. */
  parentAccessKeyId: accessKeyId.optional(),
  sessionName: sessionName.optional(),
});
export type AccessKey = z.infer<typeof accessKey>;

const owner = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[^\p{C}]*$/u, 'must not contain control characters');

const restrictions = {
  owner,
  expiresAt: instant.optional(),
  regions: z.array(regionName).min(1).max(100).optional(),
  services: z.array(serviceName).min(1).max(100).optional(),
};

export const createAccessKey = z.strictObject(restrictions);
export type CreateAccessKey = z.infer<typeof createAccessKey>;

/** A secret access key made elsewhere: printable ASCII, 16 to 128 characters. */
export const secretAccessKey = z
  .string()
  .regex(/^[\x21-\x7e]{16,128}$/, 'must be 16 to 128 printable ASCII characters');

export const importAccessKey = z.strictObject({ ...restrictions, accessKeyId, secretAccessKey });
export type ImportAccessKey = z.infer<typeof importAccessKey>;

/** The one answer that carries a secret, once, to the operator who made it. */
export const createdAccessKey = accessKey.extend({ secretAccessKey: z.string() });
export type CreatedAccessKey = z.infer<typeof createdAccessKey>;

export const listAccessKeysQuery = z.object({
  owner: z.string().max(200).optional(),
  status: accessKeyStatus.optional(),
  /** The sessions of this access key; absent: access keys, and no sessions. */
  sessionsOf: accessKeyId.optional(),
  /** Continue after this access key id; the order is that of the ids. */
  after: accessKeyId.optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});
export const listedAccessKeys = z.object({ accessKeys: z.array(accessKey), next: accessKeyId.optional() });

export const accessKeyPins = z.strictObject({
  accessKeyIds: z
    .array(accessKeyId)
    .min(1)
    .max(MOST_PINS_A_REQUEST)
    .refine((ids) => new Set(ids).size === ids.length, 'must not name an access key id twice'),
});
export const pinnedAccessKeys = z.object({ accessKeys: z.array(accessKey) });

export const accessKeyPath = (id: string): string => `${ACCESS_KEYS_PATH}/${encodeURIComponent(id)}`;

const issuedDay = z.object({ date: z.string(), accessKeys: z.number().int(), lastIssuedAt: instant });

export const statusAnswer = z.object({
  at: instant,
  /** What somebody should see to, in words. */
  warnings: z.array(z.string()).default([]),
  masters: z.array(
    z.object({
      spiffeId: z.string(),
      startedAt: instant,
      heardAt: instant,
      version: z.string(),
      certificateExpiresAt: instant,
    }),
  ),
  accessKeys: z.object({
    enabled: z.number().int(),
    disabled: z.number().int(),
    /** Sessions that have not ended. */
    sessions: z.number().int().default(0),
    /** Those of which the feed tells a change. */
    changesInFeed: z.number().int(),
  }),
  /** Every region that was ever issued a key or has reported, whether it is up now or not. */
  regions: z.array(
    z.object({
      spiffeId: z.string(),
      region: regionName,
      heardAt: instant.optional(),
      report: shownRegionReport.optional(),
      issued: z.array(issuedDay),
      edges: z.array(z.object({ spiffeId: z.string(), heardAt: instant, report: edgeReport })),
    }),
  ),
  /** Every deputy that has a grant, holds days of the window, or has reported. */
  deputies: z
    .array(
      z.object({
        spiffeId: z.string(),
        heardAt: instant.optional(),
        report: shownRegionReport.optional(),
        grants: z.array(grantedDays),
        issued: z.array(issuedDay),
      }),
    )
    .default([]),
});
export type StatusAnswer = z.infer<typeof statusAnswer>;
