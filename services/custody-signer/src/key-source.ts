import { setImmediate as otherWork } from 'node:timers/promises';
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

/** Secrets that are opened before other calls have a turn: some milliseconds of work. */
const SLICE = 50;

/** What is wanted of each secret, in their order; undefined where a seal does not open. The caller overwrites it. */
export async function derive(keys: SignerKeys, request: DerivationRequest): Promise<readonly (Buffer | undefined)[]> {
  const made: (Buffer | undefined)[] = [];
  for (const [index, secret] of request.secrets.entries()) {
    if (index > 0 && index % SLICE === 0) await otherWork();
    const each = derivedOf(keys, request, secret);
    made.push(each instanceof Promise ? await each : each);
  }
  return made;
}

/** A secret is in the clear from here to the end of this function: nowhere else, once it was made or imported. */
function derivedOf(
  keys: SignerKeys,
  request: DerivationRequest,
  secret: SealedSecret,
): Buffer | undefined | Promise<Buffer> {
  const plaintext = openForSigner(keys, secret, secret.sealed);
  if (!plaintext) return undefined;
  const wipe = (): unknown => plaintext.fill(0);
  if (request.want === 'seal') {
    return sealForSigner(keys[0], secret, plaintext)
      .then((sealed) => Buffer.from(sealed, 'ascii'))
      .finally(wipe);
  }
  try {
    return request.want === 'kDate'
      ? exportKDate(kDate(kSecret(plaintext), request.date))
      : exportEcdsaPublicKey(ecdsaPublicKey(ecdsaPrivateKey(plaintext, secret.accessKeyId)));
  } finally {
    wipe();
  }
}
