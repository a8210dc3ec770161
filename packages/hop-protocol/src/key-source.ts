import type { KRegion, KService, ScopeDate } from '@sigv4-keyd/sigv4-core';

/** What is known of an access key beside its keys; travels down with them, so that the lower tiers can honour it. */
export interface AccessKeyFacts {
  readonly accessKeyId: string;
  /** Rises with each secret of the access key: keys of a lower version came from one that is no longer good. */
  readonly version: number;
  /** Epoch milliseconds. Revocations with `issuedBefore` spare access keys created later. */
  readonly createdAt: number;
  /** Epoch milliseconds from which on the access key is no longer good. */
  readonly expiresAt?: number;
  /** The services that the access key is good for; absent: all. */
  readonly services?: readonly string[];
}

/**
 * What the feed says against an access key's scope on a day, or the access key's own limits; undefined: nothing. Asked
 * for every key that arrives and for those that are held.
 */
export type DenialOf = (date: ScopeDate, facts: AccessKeyFacts) => Absence | undefined;

export interface IssuedKey<Key> {
  readonly facts: AccessKeyFacts;
  readonly key: Key;
}

/**
 * Why an access key that was asked for has no key in the answer. `unavailable`: it is not held and the tier above could
 * not be asked in time, so that nothing is known of it; the others of the answer are as good as ever.
 */
export const ABSENCES = ['unknown', 'disabled', 'expired', 'not-for-scope', 'revoked', 'unavailable'] as const;
export type Absence = (typeof ABSENCES)[number];

export function isAbsence(text: string): text is Absence {
  return ABSENCES.some((absence) => absence === text);
}

export interface KeyRequest {
  readonly date: ScopeDate;
  /** At most {@link MOST_KEYS_A_REQUEST}, without duplicates. */
  readonly accessKeyIds: readonly string[];
}

/** Every access key id that was asked for is in exactly one of the two. */
export interface KeyAnswer<Key> {
  readonly issued: ReadonlyMap<string, IssuedKey<Key>>;
  readonly absent: ReadonlyMap<string, Absence>;
}

export const MOST_KEYS_A_REQUEST = 5_000;

/**
 * One hop of the hierarchy. The client of the hop calls it, the server implements it: once by deriving (the upper
 * side), once over mTLS (the lower side) and once cached. Rejects with a KeydError.
 */
export interface KeySource<Key> {
  /** `requestId`: of the request that needs them, for logs and records: it is followed through the tiers by it. */
  issue(request: KeyRequest, requestId?: string): Promise<KeyAnswer<Key>>;
}

/** Serves kRegion of one region: the region is that of the asking certificate, so no request names it. */
export type RegionKeySource = KeySource<KRegion>;

/** Serves kService of one service in one region, likewise. */
export type ServiceKeySource = KeySource<KService>;
