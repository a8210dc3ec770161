import { parseSignerPrivateKey, type SignerPrivateKey } from '@sigv4-keyd/hop-protocol';
import {
  hopListen,
  metricsListen,
  related,
  serviceSettings,
  stateFolder,
  tracesSettings,
} from '@sigv4-keyd/service-skeleton';
import { z } from 'zod';
import { LIFETIMES } from './lifetimes.js';

/** Kept as KeyObjects, which print no bytes. */
const signerKey = z.string().transform((text, context): SignerPrivateKey => {
  const key = parseSignerPrivateKey(text);
  if (key) return key;
  const message = 'must be the JWK of a signer key with its private half; keydctl custody signer-key makes it';
  context.issues.push({ code: 'custom', input: undefined, message });
  return z.NEVER;
});

const settings = z.object({
  ...serviceSettings,
  metricsListen,
  ...tracesSettings,
  stateFolder,
  listen: hopListen,
  signerKey: signerKey.describe('Opens the seals of secrets: a JWK; better given by KEYD_SIGNER_KEY_FILE'),
  signerKeyBefore: signerKey.optional().describe('The signer key from before, for the time of a rotation'),
});

/** The settings of custody-signer. */
export const configuration = related(settings, LIFETIMES);

export type Configuration = z.output<typeof configuration>;
