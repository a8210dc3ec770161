import { banRequest, BANS_PATH, identityBan, listedBans, unbanQuery } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import { authorOf } from '../author.js';
import type { IdentityBans } from '../feed/identity-bans.js';

/** POST /v1/identity-bans shuts a region, an edge or a deputy out, DELETE lets it back, GET lists who is shut out. */
export function identityBansRoute(app: MtlsApp, bans: IdentityBans): void {
  const config = { mtls: { roles: ['operator'] } } as const;
  app.post(
    BANS_PATH,
    { config, schema: { body: banRequest, response: { 201: identityBan } } },
    async (request, reply) => {
      const { spiffeId, reason } = request.body;
      return reply.code(201).send(await bans.ban(authorOf(request), spiffeId, reason));
    },
  );
  app.delete(BANS_PATH, { config, schema: { querystring: unbanQuery, response: { 200: identityBan } } }, (request) =>
    bans.unban(authorOf(request), request.query.spiffeId),
  );
  app.get(BANS_PATH, { config, schema: { response: { 200: listedBans } } }, () => bans.list());
}
