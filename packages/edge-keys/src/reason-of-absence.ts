import type { Absence } from '@sigv4-keyd/hop-protocol';
import type { KeyMissingReason } from '@sigv4-keyd/sigv4-core';

/** What a client is told when there is no key for its request. */
export const REASON_OF_ABSENCE = {
  unknown: 'access-key-unknown',
  disabled: 'access-key-disabled',
  expired: 'access-key-expired',
  'not-for-scope': 'access-key-not-for-scope',
  revoked: 'scope-revoked',
  unavailable: 'keys-unavailable',
} as const satisfies Record<Absence, KeyMissingReason>;
