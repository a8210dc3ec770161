import type { Algorithm } from './algorithm.js';
import type { Accepted } from './accepted.js';
import type { CredentialScope } from './credential-scope.js';
import type { RefusalReason } from './refusal.js';
import type { RequestHead } from './request-head.js';
import type { SessionIdentity } from './session-token.js';
import type { SignatureKey } from './signature-key.js';
import type { WindowRule } from './window-of-days.js';

/** The reasons for which there is no key. */
export type KeyMissingReason = Extract<
  RefusalReason,
  | 'access-key-unknown'
  | 'access-key-disabled'
  | 'access-key-expired'
  | 'access-key-not-for-scope'
  | 'scope-revoked'
  | 'keys-unavailable'
  | 'feed-stale'
  | SessionTokenReason
>;

/** What may be wrong with a session token, or with its absence. */
export type SessionTokenReason =
  'session-token-required' | 'malformed-session-token' | 'session-token-mismatch' | 'session-token-expired';

/** The key that proves an access key's signatures of a scope, or why there is none. */
export type KeyFinding =
  | {
      readonly found: true;
      readonly key: SignatureKey;
      /** Of temporary credentials: what their token proved. */
      readonly session?: SessionIdentity | undefined;
      /** Why the key may not be used any more. To be asked again right before a request counts as accepted. */
      readonly objection?: () => KeyMissingReason | undefined;
    }
  | { readonly found: false; readonly reason: KeyMissingReason };

/**
 * Finds the key that proves a signature: kSigning for HMAC, the public key for ECDSA. Asked once a request, after every
 * step that needs no key. Under a policy that takes session tokens, it is for the lookup to judge the token, or that
 * there is none, with the access key. `requestId` is for records and logs alone, here and at the tiers above.
 */
export type KeyLookup = (
  accessKeyId: string,
  scope: CredentialScope,
  algorithm: Algorithm,
  sessionToken: string | undefined,
  requestId?: string,
) => KeyFinding | Promise<KeyFinding>;

/** What records say of a request. */
export interface RecordedRequest {
  readonly head: RequestHead;
  readonly requestId: string;
}

/** Where the keys of one region and service come from: secrets that are held here, or the keys of an edge. */
export interface SignatureKeySource {
  readonly region: string;
  readonly service: string;
  /** The days that keys are held for; nothing that is signed may live longer. Absent: those of any day. */
  readonly window?: WindowRule;
  /** Whether `find` judges session tokens; otherwise no temporary credentials can be accepted. */
  readonly judgesSessionTokens?: boolean;
  /** A rejection counts as `keys-unavailable`. */
  readonly find: KeyLookup;
  /** To be told of every request that is accepted, before it is served. */
  readonly recordAccepted?: (accepted: Accepted, request: RecordedRequest) => void;
}
