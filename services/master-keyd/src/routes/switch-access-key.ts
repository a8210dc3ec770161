import { ACCESS_KEY_ACTIONS, accessKey, accessKeyId, ACCESS_KEYS_PATH } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import { z } from 'zod';
import type { AccessKeyChanges } from '../access-key-changes.js';
import { authorOf } from '../author.js';

/** POST /v1/access-keys/ID/enable and /disable: no key of a disabled access key is issued until it is enabled again. */
export function switchAccessKeyRoute(app: MtlsApp, changes: AccessKeyChanges): void {
  for (const action of ACCESS_KEY_ACTIONS) {
    app.post(
      `${ACCESS_KEYS_PATH}/:accessKeyId/${action}`,
      {
        config: { mtls: { roles: ['operator'] } },
        schema: { params: z.object({ accessKeyId }), response: { 200: accessKey } },
      },
      (request) => changes.switch(authorOf(request), action, request.params.accessKeyId),
    );
  }
}
