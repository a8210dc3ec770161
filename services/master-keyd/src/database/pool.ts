import type { Tracer } from '@opentelemetry/api';
import type { Logger } from '@sigv4-keyd/service-skeleton';
import type { Pool } from 'pg';
import type { DatabaseHosts } from './database-hosts.js';
import { PrimaryPool } from './primary-pool.js';

const MOST_CONNECTIONS = 10;
const CONNECT_WITHIN_MS = 5_000;
const STATEMENT_WITHIN_MS = 10_000;
/** For steps of the schema, which may rewrite large tables while other replicas wait for their end. */
export const MIGRATION_WITHIN_MS = 3_600_000;

export interface PoolOptions {
  readonly statementWithinMs?: number;
  /** Absent: statements are not traced. */
  readonly tracer?: Tracer | undefined;
}

/**
 * Connections to PostgreSQL. Every wait on the server has an end. Of a connection that breaks while idle the log is
 * told; the next request gets a new one.
 */
export function openPool(
  hosts: DatabaseHosts,
  log: Logger,
  { statementWithinMs = STATEMENT_WITHIN_MS, tracer }: PoolOptions = {},
): Pool {
  const pool = new PrimaryPool(hosts, {
    application_name: 'master-keyd',
    max: MOST_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    statement_timeout: statementWithinMs,
    idle_in_transaction_session_timeout: STATEMENT_WITHIN_MS,
    // The server's own limit cannot help when the server is gone without a word.
    query_timeout: statementWithinMs + CONNECT_WITHIN_MS,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    tracer,
  });
  // The server may say goodbye in the same bytes in which it says welcome, before whoever asked for the connection can
  // listen; the next statement on it fails all the same.
  pool.on('connect', (client) => client.on('error', () => undefined));
  pool.on('error', (error) => log.warn({ err: error }, 'an idle database connection broke'));
  return pool;
}
