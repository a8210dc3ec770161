/** The first byte of a sealed value: which layout follows. 1 names no key; 2 has the id of its key next. */
export const UNNAMED_KEY = 1;
export const NAMED_KEY = 2;

const KEY_ID_BYTES = 8;

/** The longest of the prefixes: as many bytes of a value tell under which key it is sealed. */
export const PREFIX_BYTES = 1 + KEY_ID_BYTES;

export interface SealPrefix {
  readonly layout: typeof UNNAMED_KEY | typeof NAMED_KEY;
  /** 16 hexadecimal digits; of UNNAMED_KEY the empty text. */
  readonly keyId: string;
  readonly bytes: Buffer;
  readonly rest: Buffer;
}

/** Undefined where the value has no known layout. */
export function sealPrefix(sealed: Buffer): SealPrefix | undefined {
  const [layout] = sealed;
  if (layout === UNNAMED_KEY) return { layout, keyId: '', bytes: sealed.subarray(0, 1), rest: sealed.subarray(1) };
  if (layout !== NAMED_KEY || sealed.length < PREFIX_BYTES) return undefined;
  const bytes = sealed.subarray(0, PREFIX_BYTES);
  return { layout, keyId: bytes.toString('hex', 1), bytes, rest: sealed.subarray(PREFIX_BYTES) };
}

/** What every value that is sealed with this key begins with. */
export function prefixOfKey(keyId: string): Buffer {
  return Buffer.concat([Buffer.of(NAMED_KEY), Buffer.from(keyId, 'hex')]);
}
