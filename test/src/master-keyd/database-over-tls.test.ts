import { DatabaseHosts, openPool } from '@sigv4-keyd/master-keyd';
import { createAuthority, type Authority } from '@sigv4-keyd/pki';
import { copyFileSync } from 'node:fs';
import { chown, copyFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { TRUST_DOMAIN } from '../support/certificates.js';
import { postgresOfItsOwn, runSql } from '../support/postgres.js';
import { capturedLog } from './master-under-test.js';

/** A database URL with sslmode=verify-full, as docs/kubernetes.md has it, against a real server with a certificate. */
t.test('PostgreSQL over TLS', async (t) => {
  const folder = t.testdir();
  const authorityNamed = (name: string): Promise<Authority> =>
    createAuthority({ folder: join(folder, name), trustDomain: TRUST_DOMAIN, now: Date.now() });
  const authority = await authorityNamed('ca');
  await authorityNamed('other');
  const server = await postgresOfItsOwn(t);
  const admin = server.connectionString('postgres');
  const trusted = join(folder, 'trusted.crt');
  const url = new URL(admin);
  url.hostname = 'localhost';
  url.search = `?sslmode=verify-full&sslrootcert=${trusted}`;
  const pool = openPool(DatabaseHosts.of(url.href), capturedLog().log);
  t.teardown(() => pool.end());
  const isOverTls = async (): Promise<unknown> => {
    const { rows } = await pool.query<{ ssl: boolean }>('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
    return rows[0]?.ssl;
  };

  copyFileSync(join(folder, 'ca', 'ca.crt'), trusted);
  await t.rejects(isOverTls(), { message: /does not support SSL/ }, 'never in the clear');

  await serveAs(t, authority, admin, 'elsewhere.example');
  await t.rejects(isOverTls(), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, 'not to a server of another name');

  await serveAs(t, authority, admin, 'localhost');
  copyFileSync(join(folder, 'other', 'ca.crt'), trusted);
  await t.rejects(isOverTls(), { message: /certificate/ }, 'not to a server of another authority');

  copyFileSync(join(folder, 'ca', 'ca.crt'), trusted);
  t.equal(await isOverTls(), true, 'the file of authorities is read again for each connection: nothing is restarted');
});

async function serveAs(t: Test, authority: Authority, admin: string, name: string): Promise<void> {
  const files = await authority.issue({
    spiffeId: `spiffe://${TRUST_DOMAIN}/master/${name}`,
    dnsNames: [name],
    ipAddresses: [],
    days: 1,
    folder: join(t.testdirName, name),
    now: Date.now(),
  });
  const [setting] = await runSql<{ data_directory: string }>(admin, 'SHOW data_directory');
  const data = setting?.data_directory ?? '';
  const { uid, gid } = await stat(data);
  for (const [from, to] of [
    [files.cert, 'server.crt'],
    [files.key, 'server.key'],
  ] as const) {
    await copyFile(from, join(data, to));
    await chown(join(data, to), uid, gid);
  }
  await runSql(admin, 'ALTER SYSTEM SET ssl = on');
  const loadedAt = async (): Promise<string> => {
    const [loaded] = await runSql<{ at: string }>(admin, 'SELECT pg_conf_load_time()::text AS at');
    return loaded?.at ?? '';
  };
  const before = await loadedAt();
  await runSql(admin, 'SELECT pg_reload_conf()');
  // The server takes it up by a signal; sessions that begin after that have it.
  while ((await loadedAt()) === before);
}
