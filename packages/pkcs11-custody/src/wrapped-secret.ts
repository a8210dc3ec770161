import { randomBytes } from 'node:crypto';
import type { Attribute, Mechanism } from './cryptoki.js';
import { CK } from './constants.js';
import { KEY_BLOCK_BYTES } from './key-block.js';
import { masked, NONCE_BYTES } from './mask.js';
import type { Token } from './token.js';
import { HMAC, HMAC_BYTES, tokenHmac } from './token-hmac.js';
import type { TokenKeys } from './token-keys.js';
import { returnValueOf, saidBy, TokenFailure, WrapBroken } from './token-failure.js';

/** AES key wrap (RFC 3394) adds eight bytes, by which it sees whether what it unwraps is whole. */
const WRAPPED_BYTES = KEY_BLOCK_BYTES + 8;

/** Of a wrapped secret: its tag, the nonce of its mask, then what AES key wrap made, masked. */
export const WRAPPED_SECRET_BYTES = HMAC_BYTES + NONCE_BYTES + WRAPPED_BYTES;

const KEY_WRAP: Mechanism = { mechanism: CK.CKM_AES_KEY_WRAP };

/** The token broke off, and whether this secret or the token itself is at fault has to be seen. */
export class CallFailed extends Error {
  override readonly name = 'CallFailed';
}

/**
 * The wrapped secret. `boundTo`: whose it is; it opens for the same bytes only. AES key wrap knows no such thing, so a
 * second key makes a tag of both. The block is in the memory of this process, and after the call copies of it are: the
 * process has to end soon.
 */
export function wrapSecret(token: Token, keys: TokenKeys, boundTo: Buffer, keyBlock: Buffer): Buffer {
  const { cryptoki, session } = token;
  return orFailed('wrapping', () => {
    const template = [...templateOf({ isExtractable: true }), { type: CK.CKA_VALUE, value: keyBlock }];
    const object = cryptoki.C_CreateObject(session, template);
    return passing(token, object, () => wrapped(token, keys, boundTo, object));
  });
}

/**
 * kDate, 32 bytes. The secret is an object of the token for the length of the call, one that cannot leave it.
 * @throws WrapBroken, CallFailed
 */
export function kDateOf(token: Token, keys: TokenKeys, boundTo: Buffer, secret: Buffer, date: string): Buffer {
  return unwrapped(token, keys, { boundTo, secret, isExtractable: false }, (object) =>
    tokenHmac(token, object, Buffer.from(date, 'utf8')),
  );
}

/** The same secret under other keys of the token, without leaving it. Throws as `kDateOf`. */
export function rewrapSecret(
  token: Token,
  from: { readonly keys: TokenKeys; readonly boundTo: Buffer; readonly secret: Buffer },
  to: { readonly keys: TokenKeys; readonly boundTo: Buffer },
): Buffer {
  const { keys, boundTo, secret } = from;
  return unwrapped(token, keys, { boundTo, secret, isExtractable: true }, (object) =>
    wrapped(token, to.keys, to.boundTo, object),
  );
}

function wrapped(token: Token, keys: TokenKeys, boundTo: Buffer, object: Buffer): Buffer {
  const { cryptoki, session } = token;
  // Some modules write more than they say before they know the length.
  const out = Buffer.alloc(WRAPPED_BYTES + 64);
  const bytes = cryptoki.C_WrapKey(session, KEY_WRAP, keys.wrapping, object, out);
  if (bytes.length !== WRAPPED_BYTES) {
    throw new TokenFailure('keys-unsuitable', `AES key wrap of the token made ${bytes.length} bytes of 64, and not 72`);
  }
  const nonce = randomBytes(NONCE_BYTES);
  const rest = Buffer.concat([nonce, masked(keys.mask, nonce, bytes)]);
  return Buffer.concat([tokenHmac(token, keys.binding, taggedOf(boundTo, rest)), rest]);
}

function unwrapped<Result>(
  token: Token,
  keys: TokenKeys,
  { boundTo, secret, isExtractable }: { boundTo: Buffer; secret: Buffer; isExtractable: boolean },
  use: (object: Buffer) => Result,
): Result {
  if (secret.length !== WRAPPED_SECRET_BYTES) throw new WrapBroken('it has another length than a wrapped secret');
  const [tag, rest] = [secret.subarray(0, HMAC_BYTES), secret.subarray(HMAC_BYTES)];
  return orFailed('unwrapping', () => {
    requireTag(token, keys, taggedOf(boundTo, rest), tag);
    const bytes = masked(keys.mask, rest.subarray(0, NONCE_BYTES), rest.subarray(NONCE_BYTES));
    const template = templateOf({ isExtractable });
    const object = token.cryptoki.C_UnwrapKey(token.session, KEY_WRAP, keys.wrapping, bytes, template);
    return passing(token, object, () => use(object));
  });
}

function requireTag({ cryptoki, session }: Token, { binding }: TokenKeys, tagged: Buffer, tag: Buffer): void {
  try {
    cryptoki.C_VerifyInit(session, HMAC, binding);
    if (cryptoki.C_Verify(session, tagged, tag)) return;
  } catch (error) {
    const returned = returnValueOf(error);
    if (returned !== CK.CKR_SIGNATURE_INVALID && returned !== CK.CKR_SIGNATURE_LEN_RANGE) throw error;
  }
  throw new WrapBroken('the seal does not open: tampered with, moved, or sealed with another key');
}

/** What is wrapped has one length, so that the two parts cannot be taken for others. */
function taggedOf(boundTo: Buffer, rest: Buffer): Buffer {
  return Buffer.concat([rest, boundTo]);
}

/** The object is of the session, and is gone after its use. */
function passing<Result>({ cryptoki, session }: Token, object: Buffer, use: () => Result): Result {
  try {
    return use();
  } finally {
    cryptoki.C_DestroyObject(session, object);
  }
}

function templateOf({ isExtractable }: { readonly isExtractable: boolean }): readonly Attribute[] {
  return [
    { type: CK.CKA_CLASS, value: CK.CKO_SECRET_KEY },
    { type: CK.CKA_KEY_TYPE, value: CK.CKK_GENERIC_SECRET },
    { type: CK.CKA_TOKEN, value: false },
    { type: CK.CKA_PRIVATE, value: true },
    { type: CK.CKA_SENSITIVE, value: true },
    { type: CK.CKA_EXTRACTABLE, value: isExtractable },
    { type: CK.CKA_SIGN, value: true },
  ];
}

function orFailed<Result>(doing: string, call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    if (error instanceof WrapBroken || error instanceof TokenFailure) throw error;
    throw new CallFailed(`${doing}: ${saidBy(error)}`, { cause: error });
  }
}
