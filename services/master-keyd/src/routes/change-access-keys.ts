import {
  ACCESS_KEY_CHANGES_PATH,
  changeAccessKeys,
  changedAccessKeys,
  MOST_CHANGES_BYTES,
} from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import type { AccessKeyChanges } from '../access-key-changes.js';
import { authorOf } from '../author.js';

/** POST /v1/access-keys/changes: enables, disables, deletes, restricts access keys, or changes when they end. */
export function changeAccessKeysRoute(app: MtlsApp, changes: AccessKeyChanges): void {
  app.post(
    ACCESS_KEY_CHANGES_PATH,
    {
      config: { mtls: { roles: ['operator'] } },
      schema: { body: changeAccessKeys, response: { 200: changedAccessKeys } },
      bodyLimit: MOST_CHANGES_BYTES,
    },
    (request) => {
      const { accessKeyIds, change, dryRun } = request.body;
      const author = authorOf(request);
      return dryRun ? changes.preview(accessKeyIds, change) : changes.change(author, accessKeyIds, change);
    },
  );
}
