import { hkdfSync, type KeyObject } from 'node:crypto';

const ID_BYTES = 8;

/** A key that secrets are sealed with, under the name that each of its seals bears. */
export interface CustodyKey {
  /** 16 hexadecimal digits. */
  readonly id: string;
  readonly key: KeyObject;
}

/** New seals are made with `current`; `before` is read only. */
export interface CustodyKeys {
  readonly current: CustodyKey;
  readonly before?: CustodyKey;
}

/**
 * The name is derived from the key, so that it can be neither mistyped nor given to two keys. 64 bits of HKDF's output
 * tell nothing of a key of 256 random bits, and its label keeps it apart from all that the key is used for.
 */
export function custodyKeyOf(key: KeyObject): CustodyKey {
  const id = Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), 'sigv4-keyd custody key id', ID_BYTES));
  return { id: id.toString('hex'), key };
}

export function custodyKeysOf(current: KeyObject, before?: KeyObject): CustodyKeys {
  return { current: custodyKeyOf(current), ...(before && { before: custodyKeyOf(before) }) };
}

/** The keys that values may be sealed with, the likelier one first. */
export function readableKeys({ current, before }: CustodyKeys): readonly CustodyKey[] {
  return before ? [current, before] : [current];
}
