import type { KeyObject } from 'node:crypto';
import { ecdsaPrivateKey, ecdsaPublicKey, kDate, kRegionBytesOfSecret, kSecret } from '@sigv4-keyd/sigv4-core';
import type { Custody, KRegionBytesOf, Resealing, SealedSecret, SecretName } from './custody.js';
import { custodyKeysOf, readableKeys, type CustodyKey, type CustodyKeys } from './custody-key.js';
import { NAMED_KEY, prefixOfKey, UNNAMED_KEY } from './seal-prefix.js';
import { open, seal } from './sealing.js';

/** A keeper that another one can take secrets over from. */
export interface FileCustody extends Custody, Resealing {
  readonly kRegionBytes: KRegionBytesOf;
  /** The secret in the clear, which the caller overwrites. Throws SealBroken. */
  opened(secret: SealedSecret): Buffer;
}

/**
 * Secrets sealed with AES-256-GCM under a key that is given at start, normally from a file. What is sealed with the key
 * from before opens as well.
 */
export function fileCustody(custodyKey: KeyObject, custodyKeyBefore?: KeyObject): FileCustody {
  const keys = custodyKeysOf(custodyKey, custodyKeyBefore);
  const prefixOf = ({ id }: CustodyKey): Buffer => prefixOfKey(NAMED_KEY.file, id);
  return {
    seal(name, secretAccessKey) {
      const plaintext = Buffer.from(secretAccessKey, 'utf8');
      try {
        return seal(keys.current, boundTo(name), plaintext);
      } finally {
        plaintext.fill(0);
      }
    },
    kDate(secret, date) {
      return opened(keys, secret, (plaintext) => kDate(kSecret(plaintext), date));
    },
    kRegionBytes(secret, date, region) {
      return opened(keys, secret, (plaintext) => kRegionBytesOfSecret(plaintext, date, region));
    },
    ecdsaPublicKey(secret) {
      return opened(keys, secret, (plaintext) => ecdsaPublicKey(ecdsaPrivateKey(plaintext, secret.accessKeyId)));
    },
    opened: (secret) => open(keys, boundTo(secret), secret.sealed),
    sealsWith: keys.current.id,
    reads: readableKeys(keys).map(({ id }) => id),
    prefix: prefixOf(keys.current),
    readablePrefixes: [Buffer.of(UNNAMED_KEY), ...readableKeys(keys).map(prefixOf)],
    reseal(secret) {
      return opened(keys, secret, (plaintext) => seal(keys.current, boundTo(secret), plaintext));
    },
  };
}

function opened<Result>(keys: CustodyKeys, secret: SealedSecret, use: (plaintext: Buffer) => Result): Result {
  const plaintext = open(keys, boundTo(secret), secret.sealed);
  try {
    return use(plaintext);
  } finally {
    plaintext.fill(0);
  }
}

/** Neither an access key id nor a number holds a line break, so no two names are written alike. */
function boundTo({ accessKeyId, version }: SecretName): string {
  return `sigv4-keyd secret\n${accessKeyId}\n${version}`;
}
