import { CUSTODY_PATH, custodyStatus } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import type { CustodyRotation } from '../custody/custody-rotation.js';

/** GET /v1/custody: under which keys the secrets are sealed. */
export function custodyStatusRoute(app: MtlsApp, rotation: CustodyRotation): void {
  app.get(
    CUSTODY_PATH,
    { config: { mtls: { roles: ['operator'] } }, schema: { response: { 200: custodyStatus } } },
    () => rotation.status(),
  );
}
