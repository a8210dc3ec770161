import {
  DEPUTY_GRANTS_PATH,
  deputyGrant,
  deputyGrantRequest,
  hasRole,
  KeydError,
  listedDeputyGrants,
  OWN_GRANTS_PATH,
  ownGrants,
  withdrawnGrants,
  withdrawQuery,
} from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import { authorOf } from '../author.js';
import type { DeputyGrants } from '../deputies/deputy-grants.js';

/** POST /v1/deputy-grants grants days to a deputy, DELETE withdraws, GET lists; a deputy reads its own beside it. */
export function deputyGrantsRoute(app: MtlsApp, grants: DeputyGrants): void {
  const config = { mtls: { roles: ['operator'] } } as const;
  app.post(
    DEPUTY_GRANTS_PATH,
    { config, schema: { body: deputyGrantRequest, response: { 201: deputyGrant } } },
    async (request, reply) => reply.code(201).send(await grants.grant(authorOf(request), request.body)),
  );
  app.delete(
    DEPUTY_GRANTS_PATH,
    { config, schema: { querystring: withdrawQuery, response: { 200: withdrawnGrants } } },
    async (request) => ({ grants: [...(await grants.withdraw(authorOf(request), request.query.deputy))] }),
  );
  app.get(DEPUTY_GRANTS_PATH, { config, schema: { response: { 200: listedDeputyGrants } } }, () => grants.list());
  app.get(
    OWN_GRANTS_PATH,
    { config: { mtls: { roles: ['deputy'] } }, schema: { response: { 200: ownGrants } } },
    async ({ peer }) => {
      if (!hasRole(peer, 'deputy')) throw new KeydError('role-not-allowed');
      return { grants: [...(await grants.grantsOf(peer))] };
    },
  );
}
