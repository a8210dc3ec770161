import { accessKey, accessKeyId, ACCESS_KEYS_PATH, KeydError } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import type { Pool } from 'pg';
import { z } from 'zod';
import { describeAccessKey, findAccessKeys } from '../database/access-keys.js';
import { inTransaction } from '../database/transaction.js';

/** GET /v1/access-keys/ID: one access key, a deleted one too. */
export function showAccessKeyRoute(app: MtlsApp, { pool }: { readonly pool: Pool }): void {
  app.get(
    `${ACCESS_KEYS_PATH}/:accessKeyId`,
    {
      config: { mtls: { roles: ['operator'] } },
      schema: { params: z.object({ accessKeyId }), response: { 200: accessKey } },
    },
    async ({ params }) => {
      const found = await inTransaction(pool, (transaction) => findAccessKeys(transaction, [params.accessKeyId]));
      const key = found.get(params.accessKeyId);
      if (!key) throw new KeydError('not-found', { detail: params.accessKeyId });
      return describeAccessKey(key);
    },
  );
}
