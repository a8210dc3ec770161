import {
  exportKDate,
  exportKRegion,
  exportKService,
  exportKSigning,
  importKDate,
  importKRegion,
  importKService,
  importKSigning,
  type KDate,
  type KRegion,
  type KService,
  type KSigning,
} from '@sigv4-keyd/sigv4-core';
import { z } from 'zod';
import { ABSENCES, MOST_KEYS_A_REQUEST } from './key-source.js';
import {
  ATTESTED_PUBLIC_KEY_BYTES,
  exportAttestedPublicKey,
  importAttestedPublicKey,
  type AttestedPublicKey,
} from './public-keys/attested-public-key.js';
import { accessKeyId, regionName, scopeDate, serviceName } from './schemas.js';

/**
 * The hops that keys come down by. Both ends read this one definition. Strict: a request that names a region or a
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

// Each hop has keys of one length; reading an answer checks it.
const keyBytes = z.base64().min(44).max(172).meta({ description: 'base64: 32 bytes, public keys 128' });

export const keyAnswer = z.object({
  date: scopeDate,
  /** The scope is repeated so that the asker can see that these are its own keys. kDate has none but the date. */
  region: regionName.optional(),
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
  /** A copy, which the caller owns and wipes. */
  readonly exportKey: (key: Key) => Buffer;
  /** Copies the bytes. */
  readonly importKey: (bytes: Uint8Array) => Key;
}

/** From a master to a deputy, for days that operators granted. No other hop carries what is good in every region. */
export const DATE_KEYS: Hop<KDate> = {
  path: '/v1/date-keys',
  keyBytes: 32,
  exportKey: exportKDate,
  importKey: importKDate,
};

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

/** In place of kService, for edges that are bound to one purpose. */
export const SIGNING_KEYS: Hop<KSigning> = {
  path: '/v1/signing-keys',
  keyBytes: 32,
  exportKey: exportKSigning,
  importKey: importKSigning,
};

/** Public keys of AWS4-ECDSA-P256-SHA256, likewise: what goes down signs nothing. */
export const REGION_PUBLIC_KEYS: Hop<AttestedPublicKey> = {
  path: '/v1/region-public-keys',
  keyBytes: ATTESTED_PUBLIC_KEY_BYTES,
  exportKey: exportAttestedPublicKey,
  importKey: importAttestedPublicKey,
};

export const SERVICE_PUBLIC_KEYS: Hop<AttestedPublicKey> = {
  ...REGION_PUBLIC_KEYS,
  path: '/v1/service-public-keys',
};
