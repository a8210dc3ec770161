import type { Algorithm } from './algorithm.js';
import type { Mechanism } from './canonical-query.js';
import type { SignableRequest } from './canonical-request.js';
import type { CredentialScope } from './credential-scope.js';
import type { PayloadMode } from './payload-mode.js';
import type { RegionSet } from './region-set.js';
import type { PresentedToken } from './session-token.js';
import type { SigningTime } from './signing-time.js';

/** Marks what examining made, so that nothing else passes for it. */
export const examined: unique symbol = Symbol('examined');

/** Where an examined request says what is to be done once its signature is proven. */
export const onProven: unique symbol = Symbol('onProven');

/** A request that passed every step that needs no key. Only examineRequest makes one. */
export interface Examined extends SigningTime, PresentedToken {
  readonly verdict: 'examined';
  readonly algorithm: Algorithm;
  readonly accessKeyId: string;
  /** Where the signature is used: the day that was signed, our region and service. */
  readonly scope: CredentialScope;
  /** For ECDSA, which signs no region in its scope: the signed set, which covers our region. */
  readonly regionSet?: RegionSet;
  readonly mechanism: Mechanism;
  readonly payload: PayloadMode;
  readonly signedHeaders: readonly string[];
  /** As presented, lower-case hex; proven by concludeRequest only. The seed of signed chunks. */
  readonly signature: string;
  /** As signed, `YYYYMMDDTHHMMSSZ`. */
  readonly amzDate: string;
  readonly request: SignableRequest;
  readonly describesMismatch: boolean;
  readonly [examined]: true;
  readonly [onProven]?: () => void;
}
