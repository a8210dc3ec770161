import type { KeyObject } from 'node:crypto';
import { ecdsaPrivateKey, ecdsaPublicKey, kDate, kSecret } from '@sigv4-keyd/sigv4-core';
import type { Custody, SealedSecret, SecretName } from './custody.js';
import { open, seal } from './sealing.js';

/** Secrets sealed with AES-256-GCM under one key that is given at start, normally from a file. */
export function fileCustody(custodyKey: KeyObject): Custody {
  return {
    seal(name, secretAccessKey) {
      const plaintext = Buffer.from(secretAccessKey, 'utf8');
      try {
        return seal(custodyKey, boundTo(name), plaintext);
      } finally {
        plaintext.fill(0);
      }
    },
    kDate(secret, date) {
      return opened(custodyKey, secret, (secretAccessKey) => kDate(kSecret(secretAccessKey), date));
    },
    ecdsaPublicKey(secret) {
      return opened(custodyKey, secret, (secretAccessKey) =>
        ecdsaPublicKey(ecdsaPrivateKey(secretAccessKey, secret.accessKeyId)),
      );
    },
  };
}

function opened<Key>(
  custodyKey: KeyObject,
  { sealed, ...name }: SealedSecret,
  derive: (secretAccessKey: string) => Key,
): Key {
  const plaintext = open(custodyKey, boundTo(name), sealed);
  try {
    return derive(plaintext.toString('utf8'));
  } finally {
    plaintext.fill(0);
  }
}

/** Neither an access key id nor a number holds a line break, so no two names are written alike. */
function boundTo({ accessKeyId, version }: SecretName): string {
  return `sigv4-keyd secret\n${accessKeyId}\n${version}`;
}
