import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { custodyKeyIdOf, wrapCustodyKey, type RecoveryPublicKey } from '@sigv4-keyd/hop-protocol';
import {
  closeToken,
  findTokenKeys,
  generateTokenKeys,
  importTokenKeys,
  openToken,
  requireUnusedLabel,
  requireUsable,
  type Token,
  type TokenAddress,
} from '@sigv4-keyd/pkcs11-custody';
import { placeFiles } from '@sigv4-keyd/pki';

/** Where the two keys of a token come from. */
export type Origin =
  /** The token makes them: nobody can ever have them, and only the token's own means can copy them. */
  | { readonly from: 'token' }
  /** Made here, put into the token, and kept wrapped for the recovery key in a new file. */
  | { readonly from: 'here'; readonly recovery: RecoveryPublicKey; readonly wrappedFile: string }
  /** A custody key that was had back. */
  | { readonly from: 'custody-key'; readonly custodyKey: KeyObject };

export interface TokenCeremony extends TokenAddress {
  readonly pin: string;
  /** Label of both keys. */
  readonly key: string;
  readonly origin: Origin;
}

const CUSTODY_KEY_BYTES = 32;
const ID_BYTES = 8;

/**
 * Puts the keys that seal the secrets into a token, and tries them. The answer: the id that each seal will bear.
 * @throws TokenFailure, and PkiError `exists` where the file for the wrapped key is there already
 */
export async function initToken({ module, token: label, pin, key, origin }: TokenCeremony): Promise<string> {
  const token = await openToken({ module, token: label }, { pin, mayMakeKeys: true });
  try {
    await makeKeys(token, key, origin);
    const keys = findTokenKeys(token, key);
    requireUsable(token, keys);
    return keys.id;
  } finally {
    closeToken(token);
  }
}

async function makeKeys(token: Token, label: string, origin: Origin): Promise<void> {
  switch (origin.from) {
    case 'token':
      generateTokenKeys(token, label, randomBytes(ID_BYTES));
      return;
    case 'custody-key':
      importCustodyKey(token, label, origin.custodyKey);
      return;
    case 'here': {
      const bytes = randomBytes(CUSTODY_KEY_BYTES);
      const custodyKey = createSecretKey(bytes);
      bytes.fill(0);
      requireUnusedLabel(token, label);
      // Before the key is used by anybody: what was sealed with it can be had back from the first secret on.
      const { line } = wrapCustodyKey(custodyKey, origin.recovery);
      await placeFiles([{ file: origin.wrappedFile, contents: `${line}\n`, mode: 0o644 }], 'new');
      importCustodyKey(token, label, custodyKey);
    }
  }
}

function importCustodyKey(token: Token, label: string, custodyKey: KeyObject): void {
  importTokenKeys(token, label, custodyKey, Buffer.from(custodyKeyIdOf(custodyKey), 'hex'));
}
