import { accessKey, accessKeyId, ACCESS_KEYS_PATH } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import { z } from 'zod';
import type { AccessKeyChanges } from '../access-key-changes.js';
import { authorOf } from '../author.js';

/** DELETE /v1/access-keys/ID: wipes the secret for good; the id stays taken. */
export function deleteAccessKeyRoute(app: MtlsApp, changes: AccessKeyChanges): void {
  app.delete(
    `${ACCESS_KEYS_PATH}/:accessKeyId`,
    {
      config: { mtls: { roles: ['operator'] } },
      schema: { params: z.object({ accessKeyId }), response: { 200: accessKey } },
    },
    (request) => changes.delete(authorOf(request), request.params.accessKeyId),
  );
}
