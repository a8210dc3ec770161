import { createdSession, createSession, SESSIONS_PATH } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import { authorOf } from '../author.js';
import type { NewSessions } from '../sessions/new-sessions.js';

/** POST /v1/sessions: temporary credentials of an access key, secret and token shown this once. */
export function createSessionRoute(app: MtlsApp, newSessions: NewSessions): void {
  app.post(
    SESSIONS_PATH,
    {
      config: { mtls: { roles: ['operator'] } },
      schema: { body: createSession, response: { 201: createdSession } },
    },
    async (request, reply) => reply.code(201).send(await newSessions.create(authorOf(request), request.body)),
  );
}
