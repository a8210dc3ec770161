import {
  exportKRegion,
  exportKService,
  importKRegion,
  importKService,
  type KRegion,
  type KService,
} from '@sigv4-keyd/sigv4-core';
import { z } from 'zod';
import { ABSENCES, MOST_KEYS_A_REQUEST } from './key-source.js';
import { accessKeyId, regionName, scopeDate, serviceName } from './schemas.js';

/**
 * The two hops that keys come down by. Both ends read this one definition. Strict: a request that names a region or a
 * service is refused, as the certificate alone says whose keys these are.
 */
export const keyRequest = z.strictObject({
  date: scopeDate,
  accessKeyIds: z
    .array(accessKeyId)
    .min(1)
    .max(MOST_KEYS_A_REQUEST)
    .refine((ids) => new Set(ids).size === ids.length, 'must not name an access key id twice'),
});

/** Versions of secrets are counted in four bytes wherever keys are held. */
const MOST_VERSION = 2 ** 32 - 1;

const keyBytes = z.base64().length(44).meta({ description: '32 bytes, base64' });

export const keyAnswer = z.object({
  date: scopeDate,
  /** The scope is repeated so that the asker can see that these are its own keys. */
  region: regionName,
  service: serviceName.optional(),
  issued: z.array(
    z.object({
      accessKeyId,
      key: keyBytes,
      version: z.number().int().positive().max(MOST_VERSION),
      createdAt: z.number().int().nonnegative(),
      expiresAt: z.number().int().nonnegative().optional(),
      services: z.array(serviceName).optional(),
    }),
  ),
  absent: z.array(z.object({ accessKeyId, reason: z.enum(ABSENCES) })),
});
export type KeyAnswerMessage = z.infer<typeof keyAnswer>;

/** What differs between the hops: the path, and which rung of the ladder travels. */
export interface Hop<Key> {
  readonly path: `/v1/${string}`;
  /** Length of an exported key. */
  readonly keyBytes: number;
  readonly exportKey: (key: Key) => Buffer;
  readonly importKey: (bytes: Uint8Array) => Key;
}

export const REGION_KEYS: Hop<KRegion> = {
  path: '/v1/region-keys',
  keyBytes: 32,
  exportKey: exportKRegion,
  importKey: importKRegion,
};

export const SERVICE_KEYS: Hop<KService> = {
  path: '/v1/service-keys',
  keyBytes: 32,
  exportKey: exportKService,
  importKey: importKService,
};
