import { hkdfSync, type KeyObject } from 'node:crypto';
import type { Attribute } from './cryptoki.js';
import { CK } from './constants.js';
import { maskKeyOf } from './mask.js';
import { orGone, type Token } from './token.js';
import { TokenFailure } from './token-failure.js';

/** The two keys of one label: what wraps, and what binds the wrapped to its access key. Neither leaves the token. */
export interface TokenKeys {
  /** 16 hexadecimal digits: CKA_ID of both. */
  readonly id: string;
  readonly wrapping: Buffer;
  readonly binding: Buffer;
  readonly mask: KeyObject;
}

interface Kind {
  readonly what: string;
  readonly purpose: string;
  readonly keyType: number;
  readonly generation: number;
  readonly uses: readonly Attribute[];
}

const WRAPPING: Kind = {
  what: 'AES key',
  purpose: 'wrapping',
  keyType: CK.CKK_AES,
  generation: CK.CKM_AES_KEY_GEN,
  uses: allowed(CK.CKA_WRAP, CK.CKA_UNWRAP),
};
const BINDING: Kind = {
  what: 'generic secret key',
  purpose: 'binding',
  keyType: CK.CKK_GENERIC_SECRET,
  generation: CK.CKM_GENERIC_SECRET_KEY_GEN,
  uses: allowed(CK.CKA_SIGN, CK.CKA_VERIFY),
};
const KEY_BYTES = 32;
const ID_BYTES = 8;

/** @throws TokenFailure unless both are there, once, and can never leave the token */
export function findTokenKeys(token: Token, label: string): TokenKeys {
  const [wrapping, binding] = [theOne(token, label, WRAPPING), theOne(token, label, BINDING)];
  if (wrapping.id !== binding.id || wrapping.id.length !== 2 * ID_BYTES) {
    throw unsuitable(`the keys with the label ${label} do not have one and the same CKA_ID of ${ID_BYTES} bytes`);
  }
  const mask = orGone('a key cannot be used', () => maskKeyOf(token, binding.handle));
  return { id: wrapping.id, wrapping: wrapping.handle, binding: binding.handle, mask };
}

/** Makes both keys inside the token. `id`: 8 random bytes. */
export function generateTokenKeys(token: Token, label: string, id: Buffer): void {
  const { cryptoki, session } = token;
  makeBoth(token, label, (kind) => {
    const template = [...templateOf(kind, label, id), { type: CK.CKA_VALUE_LEN, value: KEY_BYTES }];
    return cryptoki.C_GenerateKey(session, { mechanism: kind.generation }, template);
  });
}

/**
 * Puts both keys in, derived from a custody key that was made elsewhere and can be had back by its recovery key. For a
 * ceremony: the bytes are in this process's memory, which has to end afterwards.
 */
export function importTokenKeys(token: Token, label: string, custodyKey: KeyObject, id: Buffer): void {
  const { cryptoki, session } = token;
  makeBoth(token, label, (kind) => {
    const info = `sigv4-keyd custody token ${kind.purpose}`;
    const value = Buffer.from(hkdfSync('sha256', custodyKey, Buffer.alloc(0), info, KEY_BYTES));
    try {
      return cryptoki.C_CreateObject(session, [...templateOf(kind, label, id), { type: CK.CKA_VALUE, value }]);
    } finally {
      value.fill(0);
    }
  });
}

/** @throws TokenFailure where the label has a key already */
export function requireUnusedLabel(token: Token, label: string): void {
  if (find(token, label, WRAPPING).length + find(token, label, BINDING).length === 0) return;
  throw unsuitable(`the token has a key with the label ${label} already: choose another label`);
}

/** Both or none: one without the other would be in the way of the next try. */
function makeBoth(token: Token, label: string, make: (kind: Kind) => Buffer): void {
  requireUnusedLabel(token, label);
  const made: Buffer[] = [];
  try {
    for (const kind of [WRAPPING, BINDING]) made.push(orGone(`no ${kind.what} can be made`, () => make(kind)));
  } catch (error) {
    for (const key of made) token.cryptoki.C_DestroyObject(token.session, key);
    throw error;
  }
}

function templateOf({ keyType, uses }: Kind, label: string, id: Buffer): readonly Attribute[] {
  return [
    { type: CK.CKA_CLASS, value: CK.CKO_SECRET_KEY },
    { type: CK.CKA_KEY_TYPE, value: keyType },
    { type: CK.CKA_LABEL, value: label },
    { type: CK.CKA_ID, value: id },
    ...allowed(CK.CKA_TOKEN, CK.CKA_PRIVATE, CK.CKA_SENSITIVE),
    { type: CK.CKA_EXTRACTABLE, value: false },
    ...uses,
  ];
}

function theOne(token: Token, label: string, kind: Kind): { readonly handle: Buffer; readonly id: string } {
  const [handle, another] = find(token, label, kind);
  if (!handle) {
    throw unsuitable(`the token has no ${kind.what} with the label ${label}; keydctl custody pkcs11 init makes it`);
  }
  if (another) throw unsuitable(`the token has more than one ${kind.what} with the label ${label}: leave one of them`);
  const wanted = [CK.CKA_ID, CK.CKA_SENSITIVE, CK.CKA_EXTRACTABLE].map((type) => ({ type }));
  const [id, sensitive, extractable] = orGone('a key cannot be read', () =>
    token.cryptoki.C_GetAttributeValue(token.session, handle, wanted),
  );
  if (!isTrue(sensitive?.value) || isTrue(extractable?.value)) {
    throw unsuitable(`the ${kind.what} with the label ${label} can leave the token: make one that cannot`);
  }
  return { handle, id: id?.value.toString('hex') ?? '' };
}

/** Two at most: that there is more than one is enough to know. */
function find({ cryptoki, session }: Token, label: string, { keyType }: Kind): readonly Buffer[] {
  return orGone('the keys cannot be listed', () => {
    cryptoki.C_FindObjectsInit(session, [
      { type: CK.CKA_CLASS, value: CK.CKO_SECRET_KEY },
      { type: CK.CKA_KEY_TYPE, value: keyType },
      { type: CK.CKA_LABEL, value: label },
    ]);
    try {
      return cryptoki.C_FindObjects(session, 2);
    } finally {
      cryptoki.C_FindObjectsFinal(session);
    }
  });
}

function allowed(...types: readonly number[]): readonly Attribute[] {
  return types.map((type) => ({ type, value: true }));
}

function isTrue(value: Buffer | undefined): boolean {
  return value?.[0] === 1;
}

function unsuitable(problem: string): TokenFailure {
  return new TokenFailure('keys-unsuitable', problem);
}
