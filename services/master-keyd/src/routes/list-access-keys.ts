import { ACCESS_KEYS_PATH, listAccessKeysQuery, listedAccessKeys } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import type { Pool } from 'pg';
import { describeAccessKey, pageOfAccessKeys } from '../database/access-keys.js';
import { inTransaction } from '../database/transaction.js';

/** GET /v1/access-keys: a page of access keys. */
export function listAccessKeysRoute(app: MtlsApp, { pool }: { readonly pool: Pool }): void {
  app.get(
    ACCESS_KEYS_PATH,
    {
      config: { mtls: { roles: ['operator'] } },
      schema: { querystring: listAccessKeysQuery, response: { 200: listedAccessKeys } },
    },
    async ({ query }) => {
      const found = await inTransaction(pool, (transaction) => pageOfAccessKeys(transaction, query));
      const accessKeys = found.slice(0, query.limit).map(describeAccessKey);
      const next = found.length > query.limit ? accessKeys.at(-1)?.accessKeyId : undefined;
      return { accessKeys, ...(next !== undefined && { next }) };
    },
  );
}
