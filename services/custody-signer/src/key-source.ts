import { openForSigner, sealForSigner, type DerivationRequest, type SignerPrivateKey } from '@sigv4-keyd/hop-protocol';
import {
  ecdsaPrivateKey,
  ecdsaPublicKey,
  exportEcdsaPublicKey,
  exportKDate,
  kDate,
  kSecret,
} from '@sigv4-keyd/sigv4-core';

/** The keys of a signer: new seals are made with the first. */
export type SignerKeys = readonly [SignerPrivateKey, ...SignerPrivateKey[]];

type SealedSecret = DerivationRequest['secrets'][number];

/** What is wanted of each secret, in their order; undefined where a seal does not open. The caller overwrites it. */
export function derive(keys: SignerKeys, request: DerivationRequest): Promise<readonly (Buffer | undefined)[]> {
  return Promise.all(request.secrets.map((secret) => derivedOf(keys, request, secret)));
}

/** A secret is in the clear from here to the end of this function, and nowhere else in the system. */
async function derivedOf(
  keys: SignerKeys,
  request: DerivationRequest,
  secret: SealedSecret,
): Promise<Buffer | undefined> {
  const plaintext = await openForSigner(keys, secret, secret.sealed);
  if (!plaintext) return undefined;
  try {
    switch (request.want) {
      case 'kDate':
        return exportKDate(kDate(kSecret(plaintext), request.date));
      case 'publicKey':
        return exportEcdsaPublicKey(ecdsaPublicKey(ecdsaPrivateKey(plaintext, secret.accessKeyId)));
      case 'seal':
        return Buffer.from(await sealForSigner(keys[0], secret, plaintext), 'ascii');
    }
  } finally {
    plaintext.fill(0);
  }
}
