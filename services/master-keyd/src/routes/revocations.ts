import { listedRevocations, revocationAnswer, revocationRequest, REVOCATIONS_PATH } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import { authorOf } from '../author.js';
import type { Revocations } from '../feed/revocations.js';

/** POST /v1/revocations: revokes a scope of days, or says what that would hit. GET: all that was revoked. */
export function revocationsRoute(app: MtlsApp, revocations: Revocations): void {
  app.post(
    REVOCATIONS_PATH,
    {
      config: { mtls: { roles: ['operator'] } },
      schema: { body: revocationRequest, response: { 200: revocationAnswer } },
    },
    (request) => revocations.revoke(authorOf(request), request.body),
  );
  app.get(
    REVOCATIONS_PATH,
    { config: { mtls: { roles: ['operator'] } }, schema: { response: { 200: listedRevocations } } },
    () => revocations.list(),
  );
}
