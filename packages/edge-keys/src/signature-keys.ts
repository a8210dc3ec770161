import type { CachedKeySource, Finding } from '@sigv4-keyd/hop-protocol';
import type {
  Algorithm,
  CredentialScope,
  EcdsaPublicKey,
  KeyMissingReason,
  KSigning,
  ScopeDate,
  SignatureKey,
} from '@sigv4-keyd/sigv4-core';
import type { ScopeGuard } from './feed/feed-guard.js';
import { REASON_OF_ABSENCE } from './reason-of-absence.js';

/** What is held or asked for, by what it proves. */
type KeysOf<Key> = Pick<CachedKeySource<Key>, 'held' | 'find'>;

/** The key that proves an access key's signatures of a scope, or why there is none. */
export type SignatureKeyFinding =
  | {
      readonly found: true;
      readonly key: SignatureKey;
      /** Why the key may not be used any more. To be asked again right before a request counts as accepted. */
      readonly objection: () => KeyMissingReason | undefined;
    }
  | { readonly found: false; readonly reason: KeyMissingReason };

export interface SignatureKeysOptions {
  /** Where the keys of each algorithm come from. */
  readonly sources: {
    readonly 'AWS4-HMAC-SHA256': KeysOf<KSigning>;
    readonly 'AWS4-ECDSA-P256-SHA256': KeysOf<EcdsaPublicKey>;
  };
  readonly guard: ScopeGuard;
}

/** The keys that this edge proves signatures with. The same rules hold for both algorithms. */
export class SignatureKeys {
  readonly #options: SignatureKeysOptions;

  constructor(options: SignatureKeysOptions) {
    this.#options = options;
  }

  /** The key, at once when it is held. Never rejects: a key that cannot be had is a reason like any other. */
  find(
    accessKeyId: string,
    { date }: CredentialScope,
    algorithm: Algorithm,
  ): SignatureKeyFinding | Promise<SignatureKeyFinding> {
    const { sources, guard } = this.#options;
    const keys: KeysOf<SignatureKey> = sources[algorithm];
    const denied = guard.objectionTo({ accessKeyId, date, facts: undefined });
    if (denied) return { found: false, reason: denied };
    const held = keys.held(date, accessKeyId);
    if (held !== undefined) return this.#read(date, held);
    return keys.find(date, accessKeyId).then(
      (finding) => this.#read(date, finding),
      // Whatever the parent's trouble is, the client's is the same; reports upwards log the parent's.
      () => ({ found: false, reason: 'keys-unavailable' }),
    );
  }

  #read(date: ScopeDate, finding: Finding<SignatureKey>): SignatureKeyFinding {
    if (typeof finding === 'string') return { found: false, reason: REASON_OF_ABSENCE[finding] };
    const { key, facts } = finding;
    const { accessKeyId } = facts;
    const objection = (): KeyMissingReason | undefined => this.#options.guard.objectionTo({ accessKeyId, date, facts });
    const reason = objection();
    return reason === undefined ? { found: true, key, objection } : { found: false, reason };
  }
}
