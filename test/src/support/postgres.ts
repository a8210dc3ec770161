import { startEmbeddedPostgres, type EmbeddedPostgres } from '@sigv4-keyd/local-stack';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import t, { type Test } from 'tap';
import { runSql } from './postgres-sql.js';

export { runSql } from './postgres-sql.js';

let shared: Promise<EmbeddedPostgres> | undefined;

/** The server of this test process, started by whoever asks first and gone with the process's tests. */
export function sharedPostgres(): Promise<EmbeddedPostgres> {
  shared ??= postgresOfItsOwn(t);
  return shared;
}

/** A server for a test that kills it. */
export async function postgresOfItsOwn(t: Test): Promise<EmbeddedPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'keyd-test-postgres-'));
  const server = await startEmbeddedPostgres({ folder });
  t.teardown(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });
  return server;
}

/** A session of its own, for what lives as long as one: locks, open transactions. */
export async function connected(t: Test, connectionString: string): Promise<Client> {
  const client = new Client({ connectionString });
  client.on('error', () => undefined);
  await client.connect();
  t.teardown(() => client.end());
  return client;
}

/** The URL of a new, empty database, which is dropped after the test, whoever is still connected. */
export async function freshDatabase(t: Test, given?: EmbeddedPostgres): Promise<string> {
  const server = given ?? (await sharedPostgres());
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await runSql(server.connectionString('postgres'), `CREATE DATABASE ${name}`);
  if (!given) {
    t.teardown(() => runSql(server.connectionString('postgres'), `DROP DATABASE ${name} WITH (FORCE)`));
  }
  return server.connectionString(name);
}
