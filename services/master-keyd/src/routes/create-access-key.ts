import { ACCESS_KEYS_PATH, createAccessKey, createdAccessKey } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import { authorOf } from '../author.js';
import type { NewAccessKeys } from '../new-access-keys.js';

/** POST /v1/access-keys: a new access key, its secret shown this once. */
export function createAccessKeyRoute(app: MtlsApp, newAccessKeys: NewAccessKeys): void {
  app.post(
    ACCESS_KEYS_PATH,
    {
      config: { mtls: { roles: ['operator'] } },
      schema: { body: createAccessKey, response: { 201: createdAccessKey } },
    },
    async (request, reply) => reply.code(201).send(await newAccessKeys.create(authorOf(request), request.body)),
  );
}
