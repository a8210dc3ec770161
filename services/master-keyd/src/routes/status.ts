import { STATUS_PATH, statusAnswer, type WindowRule } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import type { Pool } from 'pg';
import type { MasterFeed } from '../feed/master-feed.js';
import { readStatus } from '../status.js';

/** GET /v1/status: what is up, and who holds keys of which days. */
export function statusRoute(
  app: MtlsApp,
  {
    pool,
    window,
    feed,
    now,
  }: {
    readonly pool: Pool;
    readonly window: WindowRule;
    readonly feed: MasterFeed;
    readonly now: () => number;
  },
): void {
  app.get(STATUS_PATH, { config: { mtls: { roles: ['operator'] } }, schema: { response: { 200: statusAnswer } } }, () =>
    readStatus(pool, { window, now: now(), changesInFeed: feed.held?.pages.changes.size ?? 0 }),
  );
}
