import type { CredentialScope, KeyMissingReason, KSigning } from '@sigv4-keyd/sigv4-core';

/** The signing key of an access key for a scope, or why there is none. */
export type SigningKeyFinding =
  | {
      readonly found: true;
      readonly key: KSigning;
      /** Why the key may not be used any more. Asked again right before a request counts as accepted. */
      readonly objection?: () => KeyMissingReason | undefined;
    }
  | { readonly found: false; readonly reason: KeyMissingReason };

/** Where the signing keys of one region and service come from: secrets that are held here, or the keys of an edge. */
export interface SigningKeySource {
  readonly region: string;
  readonly service: string;
  /** Asked once a request, after every check that needs no key. A rejection is answered as `keys-unavailable`. */
  find(accessKeyId: string, scope: CredentialScope): SigningKeyFinding | Promise<SigningKeyFinding>;
}
