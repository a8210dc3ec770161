import { KEY_BLOCK_BYTES } from '@sigv4-keyd/pkcs11-custody';
import { SealBroken } from '../custody.js';
import type { CheckedKey } from '../custody-check.js';
import { NAMED_KEY, prefixOfKey } from '../seal-prefix.js';
import type { TokenCalls } from './pkcs11-custody.js';

const BOUND_TO = 'sigv4-keyd custody check';
const ANY_DATE = '20130524';

/** Proves itself by a wrapped block that everybody knows. */
export function checkedTokenKey(id: string, setting: string, use: TokenCalls['use']): CheckedKey {
  const prefix = prefixOfKey(NAMED_KEY.pkcs11, id);
  const under = { keyId: id, boundTo: BOUND_TO };
  return {
    id,
    setting,
    async prove() {
      return Buffer.concat([prefix, await use({ do: 'wrap', to: under }, Buffer.alloc(KEY_BLOCK_BYTES))]);
    },
    async isProvenBy({ sealed }) {
      if (!sealed.subarray(0, prefix.length).equals(prefix)) return false;
      try {
        const made = await use({ do: 'kDate', from: under, date: ANY_DATE }, sealed.subarray(prefix.length));
        return made.length > 0;
      } catch (error) {
        if (error instanceof SealBroken) return false;
        throw error;
      }
    },
  };
}
