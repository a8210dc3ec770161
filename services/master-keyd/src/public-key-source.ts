import { attestPublicKey, type AttestedPublicKey, type KeySource } from '@sigv4-keyd/hop-protocol';
import type { FeedKey } from '@sigv4-keyd/revocation';
import { issuedKeysFor, type Asker, type IssuingOptions } from './key-source.js';

export interface RegionPublicKeysOptions extends IssuingOptions {
  /** What edges believe a public key for. */
  readonly attestingKey: FeedKey;
}

/**
 * Public keys for one asking region, issued by the same rules as kRegion. Neither a secret nor a private key leaves,
 * and what does leave is signed: the region can pass it on, and change nothing of it.
 */
export function regionPublicKeysFor(asker: Asker, options: RegionPublicKeysOptions): KeySource<AttestedPublicKey> {
  return issuedKeysFor(
    asker,
    {
      scopeOf: ({ region }) => ({ rung: 'publicKey', region }),
      slice: 20,
      derive: async (custody, secret, { peer: { region }, date, facts }) =>
        attestPublicKey(await custody.ecdsaPublicKey(secret), { region, date, facts }, options.attestingKey),
    },
    options,
  );
}
