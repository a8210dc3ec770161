/** The first byte of a sealed value from before keys had names; nothing says which key it is sealed with. */
export const UNNAMED_KEY = 1;

/** The first byte of a sealed value that names its key: which keeper sealed it, and so what follows the name. */
export const NAMED_KEY = { file: 2, pkcs11: 3, external: 4 } as const;

export type NamedLayout = (typeof NAMED_KEY)[keyof typeof NAMED_KEY];

export const NAMED_LAYOUTS: readonly NamedLayout[] = Object.values(NAMED_KEY);

const KEY_ID_BYTES = 8;

/** The longest of the prefixes: as many bytes of a value tell under which key it is sealed. */
export const PREFIX_BYTES = 1 + KEY_ID_BYTES;

export interface SealPrefix {
  readonly layout: typeof UNNAMED_KEY | NamedLayout;
  /** 16 hexadecimal digits; of UNNAMED_KEY the empty text. */
  readonly keyId: string;
  readonly bytes: Buffer;
  readonly rest: Buffer;
}

/** Undefined where the value has no known layout. */
export function sealPrefix(sealed: Buffer): SealPrefix | undefined {
  const [first] = sealed;
  if (first === UNNAMED_KEY) {
    return { layout: first, keyId: '', bytes: sealed.subarray(0, 1), rest: sealed.subarray(1) };
  }
  const layout = NAMED_LAYOUTS.find((known) => known === first);
  if (layout === undefined || sealed.length < PREFIX_BYTES) return undefined;
  const bytes = sealed.subarray(0, PREFIX_BYTES);
  return { layout, keyId: bytes.toString('hex', 1), bytes, rest: sealed.subarray(PREFIX_BYTES) };
}

/** What every value that is sealed with this key begins with. */
export function prefixOfKey(layout: NamedLayout, keyId: string): Buffer {
  return Buffer.concat([Buffer.of(layout), Buffer.from(keyId, 'hex')]);
}
