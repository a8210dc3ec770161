import { parseSignerPublicKey, type SignerPublicKey } from '@sigv4-keyd/hop-protocol';
import { httpsUrls } from '@sigv4-keyd/service-skeleton';
import { z } from 'zod';

/** The public half alone: with the private one, a master could open what it is not to open. */
const signerKey = z.string().transform((text, context): SignerPublicKey => {
  const key = parseSignerPublicKey(text);
  if (key) return key;
  const message = 'must be the JWK of a signer key without its private half (signer.pub.jwk)';
  context.issues.push({ code: 'custom', input: undefined, message });
  return z.NEVER;
});

/** The settings of the keeper that has secrets opened elsewhere. */
export const externalCustodySettings = {
  signers: httpsUrls
    .optional()
    .describe('external, required: custody-signer, https://HOST:PORT, several separated by commas, nearest first'),
  signerKey: signerKey
    .optional()
    .describe('external, required: public half of the signer key, a JWK; normally KEYD_SIGNER_KEY_FILE'),
  signerKeyBefore: signerKey
    .optional()
    .describe('external: another signer key, whose seals are read; none are made. For the time of a rotation'),
};
