import type { Readings } from '@sigv4-keyd/service-skeleton';
import type { Pool } from 'pg';

/** What a scrape of metrics reads of the database's connections. */
export function connectionReadings({
  totalCount,
  idleCount,
  waitingCount,
}: Pick<Pool, 'totalCount' | 'idleCount' | 'waitingCount'>): Pick<
  Readings<'master-keyd'>,
  'keyd_database_connections'
> {
  return {
    keyd_database_connections: [
      { labels: { state: 'busy' }, value: totalCount - idleCount },
      { labels: { state: 'idle' }, value: idleCount },
      { labels: { state: 'waiting' }, value: waitingCount },
    ],
  };
}
