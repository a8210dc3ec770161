import { ACCESS_KEY_IMPORT_PATH, accessKey, importAccessKey } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import { authorOf } from '../author.js';
import type { NewAccessKeys } from '../new-access-keys.js';

/** POST /v1/access-keys/import: an access key that was made elsewhere, with its secret. */
export function importAccessKeyRoute(app: MtlsApp, newAccessKeys: NewAccessKeys): void {
  app.post(
    ACCESS_KEY_IMPORT_PATH,
    { config: { mtls: { roles: ['operator'] } }, schema: { body: importAccessKey, response: { 201: accessKey } } },
    async (request, reply) => reply.code(201).send(await newAccessKeys.import(authorOf(request), request.body)),
  );
}
