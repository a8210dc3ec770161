import { readSignerSeal, sealForSigner, type SignerPublicKey } from '@sigv4-keyd/hop-protocol';
import { importEcdsaPublicKey, importKDate } from '@sigv4-keyd/sigv4-core';
import { SealBroken, type Custody, type Resealing, type SealedSecret, type SecretName } from '../custody.js';
import type { FileCustody } from '../file-custody.js';
import { NAMED_KEY, prefixOfKey, sealPrefix } from '../seal-prefix.js';
import type { SignerCalls } from './signer-calls.js';

export interface ExternalCustodyOptions {
  readonly signerKey: SignerPublicKey;
  readonly signerKeyBefore: SignerPublicKey | undefined;
  /** Opens what was sealed before the signer was there. */
  readonly fileCustody: FileCustody | undefined;
  readonly calls: SignerCalls;
}

/**
 * Secrets are sealed to the public key of a signer and opened by the signer alone: a master seals by itself, and what
 * it has sealed it cannot open again.
 */
export function externalCustody(options: ExternalCustodyOptions): Custody & Resealing {
  const { signerKey, signerKeyBefore, fileCustody, calls } = options;
  const readable = signerKeyBefore ? [signerKey, signerKeyBefore] : [signerKey];
  const prefixOf = ({ id }: SignerPublicKey): Buffer => prefixOfKey(NAMED_KEY.external, id);
  const stored = (sealed: string): Buffer => Buffer.concat([prefixOf(signerKey), Buffer.from(sealed, 'ascii')]);
  const isOfFile = ({ sealed }: SealedSecret): boolean => sealPrefix(sealed)?.layout !== NAMED_KEY.external;
  const ids = readable.map(({ id }) => id);

  const seal = async (name: SecretName, plaintext: Buffer): Promise<Buffer> => {
    try {
      return stored(await sealForSigner(signerKey, name, plaintext));
    } finally {
      plaintext.fill(0);
    }
  };
  return {
    seal: (name, secretAccessKey) => seal(name, Buffer.from(secretAccessKey, 'utf8')),
    async kDate(secret, date) {
      if (fileCustody && isOfFile(secret)) return fileCustody.kDate(secret, date);
      const bytes = await calls.ask({ want: 'kDate', date }, forSigner(secret, ids));
      try {
        return importKDate(bytes);
      } finally {
        bytes.fill(0);
      }
    },
    async ecdsaPublicKey(secret) {
      if (fileCustody && isOfFile(secret)) return fileCustody.ecdsaPublicKey(secret);
      return importEcdsaPublicKey(await calls.ask({ want: 'publicKey' }, forSigner(secret, ids)));
    },
    async reseal(secret) {
      if (fileCustody && isOfFile(secret)) return seal(secret, fileCustody.opened(secret));
      const sealed = (await calls.ask({ want: 'seal' }, forSigner(secret, ids))).toString('ascii');
      requireSealOf(sealed, secret, signerKey.id);
      return stored(sealed);
    },
    sealsWith: signerKey.id,
    reads: [...ids, ...(fileCustody?.reads ?? [])],
    prefix: prefixOf(signerKey),
    readablePrefixes: [...readable.map(prefixOf), ...(fileCustody?.readablePrefixes ?? [])],
  };
}

/** What the signer is sent. What can be seen to be wrong from here is broken without asking. */
function forSigner({ accessKeyId, version, sealed }: SealedSecret, ids: readonly string[]): SealedForSigner {
  const prefix = sealPrefix(sealed);
  if (prefix?.layout !== NAMED_KEY.external) throw new SealBroken('the sealed value has no layout that is read here');
  if (!ids.includes(prefix.keyId)) {
    throw new SealBroken(`it is sealed with signer key ${prefix.keyId}, which is not given`);
  }
  const text = prefix.rest.toString('latin1');
  requireSealOf(text, { accessKeyId, version }, prefix.keyId);
  return { accessKeyId, version, sealed: text };
}

export interface SealedForSigner extends SecretName {
  readonly sealed: string;
}

function requireSealOf(sealed: string, { accessKeyId, version }: SecretName, keyId: string): void {
  const said = readSignerSeal(sealed)?.head;
  if (said?.accessKeyId === accessKeyId && said.version === version && said.kid === keyId) return;
  throw new SealBroken('the seal is not of this access key: tampered with, moved, or sealed with another key');
}
