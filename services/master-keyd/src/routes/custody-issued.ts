import { ISSUED_COUNTS_PATH, issuedCounts } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import { DAY_MS, scopeDateOf } from '@sigv4-keyd/sigv4-core';
import type { Pool } from 'pg';
import { issuedByMasters } from '../database/custody-calls.js';

/** Keys of older dates are not asked for any more. */
const DATES_BACK = 9;

/** GET /v1/custody/issued: how many keys masters recorded as issued, by date. */
export function custodyIssuedRoute(
  app: MtlsApp,
  { pool, now }: { readonly pool: Pool; readonly now: () => number },
): void {
  app.get(
    ISSUED_COUNTS_PATH,
    { config: { mtls: { roles: ['operator'] } }, schema: { response: { 200: issuedCounts } } },
    () => issuedByMasters(pool, scopeDateOf(now() - DATES_BACK * DAY_MS)),
  );
}
