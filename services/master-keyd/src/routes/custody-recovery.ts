import { CUSTODY_RECOVERY_PATH, custodyRecoveries } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import type { Pool } from 'pg';
import { readRecoveries } from '../custody/custody-recovery.js';

/** GET /v1/custody/recovery: the custody keys, wrapped for the recovery key. */
export function custodyRecoveryRoute(app: MtlsApp, { pool }: { readonly pool: Pool }): void {
  app.get(
    CUSTODY_RECOVERY_PATH,
    { config: { mtls: { roles: ['operator'] } }, schema: { response: { 200: custodyRecoveries } } },
    () => readRecoveries(pool),
  );
}
