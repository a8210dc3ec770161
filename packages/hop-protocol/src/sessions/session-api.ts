import { z } from 'zod';
import { createdAccessKey } from '../operator-api.js';
import { accessKeyId, regionName, serviceName, sessionName } from '../schemas.js';

/** POST: temporary credentials of an access key (201), the secret and the token shown in the answer, this once. */
export const SESSIONS_PATH = '/v1/sessions';

/** Seconds: as long as a session may last. */
export const SHORTEST_SESSION = 900;
export const LONGEST_SESSION = 36 * 3_600;

export const createSession = z.strictObject({
  /** The long-lived access key that the session is made of. */
  parentAccessKeyId: accessKeyId,
  /** The session ends with its access key where that ends sooner. */
  durationSeconds: z.number().int().min(SHORTEST_SESSION).max(LONGEST_SESSION),
  /** For whom; the upstream is told. */
  name: sessionName.optional(),
  /** Absent: as far as the access key. Nothing that the access key is not good for. */
  regions: z.array(regionName).min(1).max(100).optional(),
  services: z.array(serviceName).min(1).max(100).optional(),
});
export type CreateSession = z.infer<typeof createSession>;

export const createdSession = createdAccessKey
  .extend({ sessionToken: z.string() })
  .required({ expiresAt: true, parentAccessKeyId: true });
export type CreatedSession = z.infer<typeof createdSession>;
