import type { KeyObject } from 'node:crypto';
import { kDate, kSecret } from '@sigv4-keyd/sigv4-core';
import type { Custody, SecretName } from './custody.js';
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
    kDate({ sealed, ...name }, date) {
      const plaintext = open(custodyKey, boundTo(name), sealed);
      try {
        return kDate(kSecret(plaintext.toString('utf8')), date);
      } finally {
        plaintext.fill(0);
      }
    },
  };
}

/** Neither an access key id nor a number holds a line break, so no two names are written alike. */
function boundTo({ accessKeyId, version }: SecretName): string {
  return `sigv4-keyd secret\n${accessKeyId}\n${version}`;
}
