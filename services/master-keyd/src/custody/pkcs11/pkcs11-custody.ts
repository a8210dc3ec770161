import { KeydError } from '@sigv4-keyd/hop-protocol';
import { keyBlockOf, WRAPPED_SECRET_BYTES } from '@sigv4-keyd/pkcs11-custody';
import { importKDate } from '@sigv4-keyd/sigv4-core';
import { SealBroken, type Custody, type Resealing, type SealedSecret, type SecretName } from '../custody.js';
import { NAMED_KEY, prefixOfKey, sealPrefix } from '../seal-prefix.js';
import type { Call, KeyIds, Under } from './messages.js';

/** What a keeper asks of the token. */
export interface TokenCalls {
  /** Of a wrapped secret alone. */
  readonly use: (asked: Call, wrapped: Buffer) => Promise<Buffer>;
  /** Of a secret that comes in. */
  readonly bringIn: (asked: Call, keyBlock: Buffer) => Promise<Buffer>;
}

/**
 * Secrets wrapped by a key that never leaves its token, and used inside it alone. What is stored: the prefix, and what
 * pkcs11-custody makes. `keyIds`: of the keys in the token; the first one seals.
 */
export function pkcs11Custody(keyIds: KeyIds, calls: TokenCalls): Custody & Resealing {
  const [sealsWith] = keyIds;
  const prefix = prefixOfKey(NAMED_KEY.pkcs11, sealsWith);
  const wrappedIn = (secret: SealedSecret): { readonly from: Under; readonly wrapped: Buffer } => {
    const found = sealPrefix(secret.sealed);
    if (found?.layout !== NAMED_KEY.pkcs11) throw new SealBroken('it was not sealed by a key in a PKCS#11 token');
    if (found.rest.length !== WRAPPED_SECRET_BYTES) throw new SealBroken('it has another length than a sealed secret');
    if (!keyIds.includes(found.keyId)) {
      throw new SealBroken(`it is sealed with custody key ${found.keyId}, which is not given`);
    }
    return { from: under(found.keyId, secret), wrapped: found.rest };
  };
  return {
    async seal(name, secretAccessKey) {
      const secret = Buffer.from(secretAccessKey, 'utf8');
      const block = keyBlockOf(secret);
      try {
        return Buffer.concat([prefix, await calls.bringIn({ do: 'wrap', to: under(sealsWith, name) }, block)]);
      } finally {
        block.fill(0);
        secret.fill(0);
      }
    },
    async kDate(secret, date) {
      const { from, wrapped } = wrappedIn(secret);
      const bytes = await calls.use({ do: 'kDate', from, date }, wrapped);
      try {
        return importKDate(bytes);
      } finally {
        bytes.fill(0);
      }
    },
    ecdsaPublicKey() {
      const detail = 'the private key of AWS4-ECDSA-P256-SHA256 cannot be derived inside a PKCS#11 token';
      return Promise.reject(new KeydError('algorithm-not-supported', { detail }));
    },
    sealsWith,
    reads: keyIds,
    prefix,
    readablePrefixes: keyIds.map((id) => prefixOfKey(NAMED_KEY.pkcs11, id)),
    async reseal(secret) {
      const { from, wrapped } = wrappedIn(secret);
      const anew = await calls.use({ do: 'rewrap', from, to: under(sealsWith, secret) }, wrapped);
      return Buffer.concat([prefix, anew]);
    },
  };
}

/** Neither an access key id nor a number holds a line break, so no two names are written alike. */
function under(keyId: string, { accessKeyId, version }: SecretName): Under {
  return { keyId, boundTo: `sigv4-keyd secret\n${NAMED_KEY.pkcs11} ${keyId}\n${accessKeyId}\n${version}` };
}
