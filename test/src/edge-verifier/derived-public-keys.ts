import type { Finding } from '@sigv4-keyd/hop-protocol';
import { ecdsaPrivateKey, ecdsaPublicKey, type EcdsaPublicKey, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { DerivingParent } from './deriving-parent.js';

/** The public keys of the secrets that a deriving parent has, as an edge finds those that it holds. */
export class DerivedPublicKeys {
  readonly #parent: DerivingParent;
  /** By access key id and secret: deriving one takes longer than all else. */
  readonly #derived = new Map<string, EcdsaPublicKey>();

  constructor(parent: DerivingParent) {
    this.#parent = parent;
  }

  held(_date: ScopeDate, accessKeyId: string): Finding<EcdsaPublicKey> {
    const secret = this.#parent.secrets.get(accessKeyId);
    if (secret === undefined) return 'unknown';
    const facts = { accessKeyId, version: 1, createdAt: 0, ...this.#parent.facts.get(accessKeyId) };
    const known = `${accessKeyId} ${secret}`;
    const key = this.#derived.get(known) ?? ecdsaPublicKey(ecdsaPrivateKey(secret, accessKeyId));
    this.#derived.set(known, key);
    return { facts, key };
  }

  find(date: ScopeDate, accessKeyId: string): Promise<Finding<EcdsaPublicKey>> {
    return Promise.resolve(this.held(date, accessKeyId));
  }
}
