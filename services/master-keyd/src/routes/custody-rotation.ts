import { CUSTODY_ROTATION_PATH, rotateCustody, rotatedCustody } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import { authorOf } from '../author.js';
import type { CustodyRotation } from '../custody/custody-rotation.js';

/** POST /v1/custody/rotation: seals a page of secrets anew with the present custody key. */
export function custodyRotationRoute(app: MtlsApp, rotation: CustodyRotation): void {
  app.post(
    CUSTODY_ROTATION_PATH,
    {
      config: { mtls: { roles: ['operator'] } },
      schema: { body: rotateCustody, response: { 200: rotatedCustody } },
    },
    (request) => rotation.resealPage(authorOf(request), request.body),
  );
}
