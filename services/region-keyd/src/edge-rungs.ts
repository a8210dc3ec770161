import { SERVICE_KEYS, SIGNING_KEYS, type EdgeIdentity, type Hop } from '@sigv4-keyd/hop-protocol';
import {
  kService,
  kServiceBytes,
  kSigning,
  kSigningBytes,
  type KRegion,
  type KService,
  type KSigning,
} from '@sigv4-keyd/sigv4-core';

/** What of a kRegion goes to edges of one kind. */
export interface DerivedRung<Key> {
  readonly rung: 'kService' | 'kSigning';
  readonly hop: Hop<Key>;
  readonly take: (key: KRegion, edge: EdgeIdentity) => Key;
  /** The same from bytes to bytes, where a whole day goes down. The caller wipes both. */
  readonly takeBytes: (key: Uint8Array, edge: EdgeIdentity) => Buffer;
}

export const K_SERVICE: DerivedRung<KService> = {
  rung: 'kService',
  hop: SERVICE_KEYS,
  take: (key, { service }) => kService(key, service),
  takeBytes: (key, { service }) => kServiceBytes(key, service),
};

/** For edges that are bound to a purpose: one rung more is derived here, so that kService never reaches them. */
export const K_SIGNING: DerivedRung<KSigning> = {
  rung: 'kSigning',
  hop: SIGNING_KEYS,
  take: (key, { service, purpose }) => kSigning(kService(key, service), purpose),
  takeBytes: (key, { service, purpose }) => kSigningBytes(key, service, purpose),
};
