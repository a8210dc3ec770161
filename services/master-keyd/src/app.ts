import type { CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import type { MasterIdentity } from '@sigv4-keyd/hop-protocol';
import { createMtlsApp, type Logger, type MtlsApp } from '@sigv4-keyd/service-skeleton';
import type { AccessKeyChanges } from './access-key-changes.js';
import type { RegionKeysOptions } from './key-source.js';
import { createAccessKeyRoute } from './routes/create-access-key.js';
import { deleteAccessKeyRoute } from './routes/delete-access-key.js';
import { importAccessKeyRoute } from './routes/import-access-key.js';
import { listAccessKeysRoute } from './routes/list-access-keys.js';
import { regionKeysRoute } from './routes/region-keys.js';
import { reportRoute } from './routes/report.js';
import { showAccessKeyRoute } from './routes/show-access-key.js';
import { statusRoute } from './routes/status.js';
import { switchAccessKeyRoute } from './routes/switch-access-key.js';

export interface MasterAppOptions {
  readonly own: MasterIdentity;
  readonly credentials: CredentialsStore;
  readonly changes: AccessKeyChanges;
  readonly regionKeys: RegionKeysOptions;
  readonly log: Logger;
}

/** What regions and operators see of master-keyd. */
export async function createMasterApp(options: MasterAppOptions): Promise<MtlsApp> {
  const { own, credentials, changes, regionKeys, log } = options;
  const app = await createMtlsApp({ credentials, trustDomain: own.trustDomain, log });
  regionKeysRoute(app, regionKeys);
  reportRoute(app, regionKeys);
  statusRoute(app, regionKeys);
  createAccessKeyRoute(app, changes);
  importAccessKeyRoute(app, changes);
  listAccessKeysRoute(app, regionKeys);
  showAccessKeyRoute(app, regionKeys);
  switchAccessKeyRoute(app, changes);
  deleteAccessKeyRoute(app, changes);
  return app;
}
