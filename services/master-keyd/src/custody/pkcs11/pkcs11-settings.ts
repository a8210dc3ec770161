import { count, readableFile } from '@sigv4-keyd/service-skeleton';
import { z } from 'zod';

/** One is replaced while the other goes on. */
export const DEFAULT_SESSIONS = 2;

/** In a function, which prints no part of it. */
const pin = z
  .string()
  .min(1, 'must not be empty')
  .transform(
    (text): (() => string) =>
      () =>
        text,
  );

const label = z
  .string()
  .min(1, 'must not be empty')
  .refine((text) => Buffer.byteLength(text) <= 32, 'must be a label of at most 32 bytes');

/** The settings of the keeper whose keys are in a PKCS#11 token. */
export const pkcs11Settings = {
  pkcs11Module: readableFile
    .meta({ names: 'module' })
    .optional()
    .describe('pkcs11, required: path of the PKCS#11 module of the token'),
  pkcs11Token: label.optional().describe('pkcs11, required: label of the token'),
  pkcs11Pin: pin.optional().describe('pkcs11, required: PIN of its user; better given by KEYD_PKCS11_PIN_FILE'),
  pkcs11Key: label.optional().describe('pkcs11, required: label of the two keys in the token that seal the secrets'),
  pkcs11KeyBefore: label
    .optional()
    .describe('pkcs11: label of another pair of keys, whose seals are read. For the time of a rotation'),
  pkcs11Sessions: count
    .refine((sessions) => sessions >= 1 && sessions <= 64, 'must be from 1 to 64')
    .optional()
    .describe(`pkcs11: sessions with the token, a process each; ${DEFAULT_SESSIONS} if absent`),
};
