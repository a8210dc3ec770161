/** What a feed key may sign. Each purpose has keys of its own; the root key's are kept offline. */
export const KEY_PURPOSES = ['revocation', 'beacon', 'root'] as const;
export type KeyPurpose = (typeof KEY_PURPOSES)[number];

interface KindEntry {
  /** The `typ` header (RFC 8725, section 3.11): no document passes for one of another kind. */
  readonly typ: string;
  readonly purpose: KeyPurpose;
  /** The largest compact serialisation, bytes. */
  readonly mostBytes: number;
}

/** The largest statement, bytes of its compact serialisation. */
export const MOST_DOCUMENT_BYTES = 4096;

/** The largest beacon, likewise: with every identity that it may ban. */
export const MOST_BEACON_BYTES = 768 * 1024;

/** The largest page of changes of access keys, likewise. */
export const MOST_PAGE_BYTES = 128 * 1024;

/** All that sets the kinds of signed documents apart. */
export const DOCUMENT_KINDS = {
  revocation: { typ: 'keyd-revocation+jwt', purpose: 'revocation', mostBytes: MOST_DOCUMENT_BYTES },
  lift: { typ: 'keyd-lift+jwt', purpose: 'root', mostBytes: MOST_DOCUMENT_BYTES },
  'access-keys': { typ: 'keyd-access-keys+jwt', purpose: 'revocation', mostBytes: MOST_PAGE_BYTES },
  // A token alone signs nothing: without the secret of its access key it is worth nothing, so that it needs no key of
  // its own beside the one that every verifier has pinned.
  session: { typ: 'keyd-session+jwt', purpose: 'revocation', mostBytes: MOST_DOCUMENT_BYTES },
  beacon: { typ: 'keyd-beacon+jwt', purpose: 'beacon', mostBytes: MOST_BEACON_BYTES },
} as const satisfies Readonly<Record<string, KindEntry>>;

export type DocumentKind = keyof typeof DOCUMENT_KINDS;
