import { createSecretKey, type KeyObject } from 'node:crypto';
import { parseRecoveryPublicKey, type RecoveryPublicKey } from '@sigv4-keyd/hop-protocol';
import { z } from 'zod';

/** 32 bytes, base64. Kept as a KeyObject, which prints no bytes. */
const custodyKey = z.string().transform((text, context): KeyObject => {
  const bytes = Buffer.from(text.trim(), 'base64');
  try {
    if (bytes.length === 32 && bytes.toString('base64') === text.trim()) return createSecretKey(bytes);
  } finally {
    bytes.fill(0);
  }
  context.issues.push({
    code: 'custom',
    input: undefined,
    message: 'must be 32 random bytes in base64; `openssl rand -base64 32` makes them',
  });
  return z.NEVER;
});

/** The public half alone; in an object, so that a mistake prints no bytes of what was given. */
const recoveryKey = z.string().transform((text, context): RecoveryPublicKey => {
  const key = parseRecoveryPublicKey(text);
  if (key) return key;
  const message = 'must be 32 bytes in base64; keydctl custody recovery create makes it (recovery.pub)';
  context.issues.push({ code: 'custom', input: undefined, message });
  return z.NEVER;
});

/** The settings of the keeper that seals with a key from a file. */
export const fileCustodySettings = {
  custodyKey: custodyKey
    .optional()
    .describe('file, required: seals the secrets: 32 bytes, base64; better given by KEYD_CUSTODY_KEY_FILE'),
  custodyKeyBefore: custodyKey
    .optional()
    .describe(
      'file: another custody key, whose seals are read; none are made. For the time of a rotation (docs/custody.md)',
    ),
  recoveryKey: recoveryKey
    .optional()
    .describe('file: public half of the recovery key: the custody key is kept wrapped for it (docs/custody.md)'),
};
