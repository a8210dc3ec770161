import { DATE_KEYS } from '@sigv4-keyd/hop-protocol';
import { issuingRoute, type MtlsApp, type PeerBudget } from '@sigv4-keyd/service-skeleton';
import { dateKeys } from '../deputies/date-keys.js';
import type { DeputyGrants } from '../deputies/deputy-grants.js';
import { issuedKeysFor, type IssuingOptions } from '../key-source.js';

/** POST /v1/date-keys: kDate of one day, to a deputy that the day is granted to. */
export function dateKeysRoute(app: MtlsApp, budget: PeerBudget, grants: DeputyGrants, options: IssuingOptions): void {
  const kind = dateKeys(grants);
  issuingRoute(app, {
    hop: DATE_KEYS,
    role: 'deputy',
    budget,
    issueTo: (asker) => ({ scope: {}, keys: issuedKeysFor(asker, kind, { ...options, window: grants.window }) }),
  });
}
