import { startEmbeddedPostgres, type EmbeddedPostgres } from '@sigv4-keyd/local-stack';
import { execFile } from 'node:child_process';
import { appendFile, chmod, chown, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import { runSql } from './postgres-sql.js';

/**
 * A second server with all that the first one has, which follows it by streaming replication: the copy of its folder,
 * taken while it was stopped, and what makes a standby of a copy.
 */
export async function standbyOf(t: Test, primary: EmbeddedPostgres): Promise<EmbeddedPostgres> {
  const url = new URL(primary.connectionString('postgres'));
  const [setting] = await runSql<{ data_directory: string }>(url.href, 'SHOW data_directory');
  const original = setting?.data_directory ?? '';
  const folder = await mkdtemp(join(tmpdir(), 'keyd-test-standby-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o711);
  await writeFile(join(folder, 'password'), url.password, { mode: 0o600 });
  const data = join(folder, 'data');
  await primary.stop();
  await promisify(execFile)('cp', ['-a', original, data]);
  await primary.restart();
  const { uid, gid } = await stat(original);
  const signal = join(data, 'standby.signal');
  await writeFile(signal, '');
  await chown(signal, uid, gid);
  const source = `host=127.0.0.1 port=${primary.port} user=${url.username} password=${url.password}`;
  await appendFile(join(data, 'postgresql.auto.conf'), `primary_conninfo = '${source}'\n`);
  const standby = await startEmbeddedPostgres({ folder });
  t.teardown(() => standby.stop());
  return standby;
}

/** From now on the primary acknowledges only what a standby has applied. */
export async function waitForStandby(primary: EmbeddedPostgres): Promise<void> {
  const url = primary.connectionString('postgres');
  while ((await runSql(url, "SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'")).length === 0)
    await pause(20);
  await runSql(url, "ALTER SYSTEM SET synchronous_standby_names = '*'");
  await runSql(url, "ALTER SYSTEM SET synchronous_commit = 'remote_apply'");
  await runSql(url, 'SELECT pg_reload_conf()');
}

export async function promote(standby: EmbeddedPostgres): Promise<void> {
  await runSql(standby.connectionString('postgres'), 'SELECT pg_promote()');
}

/** One database on several servers, the first ones first. */
export function urlOfAll(servers: readonly EmbeddedPostgres[], database: string, query = ''): string {
  const [first, ...others] = servers.map((server) => new URL(server.connectionString(database)));
  if (!first) throw new RangeError('no server');
  const hosts = [first, ...others].map(({ host }) => host).join(',');
  return first.href.replace(first.host, hosts) + query;
}
