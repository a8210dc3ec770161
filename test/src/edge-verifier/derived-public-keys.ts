import type { Finding } from '@sigv4-keyd/hop-protocol';
import { ecdsaPrivateKey, ecdsaPublicKey, type EcdsaPublicKey, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { DerivingParent } from './deriving-parent.js';

/** The public keys of the secrets that a deriving parent has, as an edge finds those that it holds. */
export class DerivedPublicKeys {
  readonly #parent: DerivingParent;

  constructor(parent: DerivingParent) {
    this.#parent = parent;
  }

  held(_date: ScopeDate, accessKeyId: string): Finding<EcdsaPublicKey> {
    const secret = this.#parent.secrets.get(accessKeyId);
    if (secret === undefined) return 'unknown';
    const facts = { accessKeyId, version: 1, createdAt: 0, ...this.#parent.facts.get(accessKeyId) };
    return { facts, key: ecdsaPublicKey(ecdsaPrivateKey(secret, accessKeyId)) };
  }

  find(date: ScopeDate, accessKeyId: string): Promise<Finding<EcdsaPublicKey>> {
    return Promise.resolve(this.held(date, accessKeyId));
  }
}
