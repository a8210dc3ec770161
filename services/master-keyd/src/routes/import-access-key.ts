import { ACCESS_KEY_IMPORT_PATH, accessKey, importAccessKey } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import type { AccessKeyChanges } from '../access-key-changes.js';
import { authorOf } from '../author.js';

/** POST /v1/access-keys/import: an access key that was made elsewhere, with its secret. */
export function importAccessKeyRoute(app: MtlsApp, changes: AccessKeyChanges): void {
  app.post(
    ACCESS_KEY_IMPORT_PATH,
    { config: { mtls: { roles: ['operator'] } }, schema: { body: importAccessKey, response: { 201: accessKey } } },
    async (request, reply) => reply.code(201).send(await changes.import(authorOf(request), request.body)),
  );
}
