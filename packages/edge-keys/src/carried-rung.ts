import { rungOf, SERVICE_KEYS, SIGNING_KEYS, type Hop } from '@sigv4-keyd/hop-protocol';
import { kSigning, type KService, type KSigning } from '@sigv4-keyd/sigv4-core';

/** The rung that an edge is given, and the way from there to what it verifies with. */
export interface CarriedRung<Carried> {
  readonly rung: ReturnType<typeof rungOf>;
  readonly hop: Hop<Carried>;
  readonly signing: (key: Carried) => KSigning;
}

export const OF_SERVICE: CarriedRung<KService> = {
  rung: 'kService',
  hop: SERVICE_KEYS,
  signing: (key) => kSigning(key),
};

/** Of an edge that is bound to a purpose: what it is given makes no other key. */
export const OF_PURPOSE: CarriedRung<KSigning> = { rung: 'kSigning', hop: SIGNING_KEYS, signing: (key) => key };
