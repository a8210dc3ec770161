import { removeEmbeddedPostgres, startEmbeddedPostgres } from '@sigv4-keyd/local-stack';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { runSql } from '../support/postgres.js';

const PARENT = fileURLToPath(new URL('./postgres-parent.js', import.meta.url));

function newFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyd-test-postgres-'));
  t.teardown(() => removeEmbeddedPostgres(folder));
  return folder;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise(setImmediate);
};

t.test('data outlives a stop, a crash and another start', async (t) => {
  const folder = newFolder(t);
  const lastLines: string[] = [];
  const onUnexpectedExit = (lines: string): void => void lastLines.push(lines);
  const first = await startEmbeddedPostgres({ folder, onUnexpectedExit });
  const url = first.connectionString('postgres');
  await runSql(url, 'CREATE TABLE kept (n integer); INSERT INTO kept VALUES (1)');
  await first.kill9();
  await t.rejects(runSql(url, 'SELECT 1'), { code: 'ECONNREFUSED' });
  await first.restart();
  t.same(await runSql(url, 'SELECT n FROM kept'), [{ n: 1 }]);
  await first.stop();
  await first.stop();
  const second = await startEmbeddedPostgres({ folder, port: first.port });
  t.equal(second.connectionString('postgres'), url, 'the same port and password');
  t.same(await runSql(url, 'SELECT n FROM kept'), [{ n: 1 }]);
  t.same(lastLines, [], 'no end of it was unexpected');

  t.equal(statSync(join(folder, 'password')).mode & 0o777, 0o600);
  const wrong = url.replace(/:[^:@]*@/, ':guessed@');
  await t.rejects(runSql(wrong, 'SELECT 1'), { code: '28P01' }, 'nobody enters without the password');
  const where = "SELECT current_setting('listen_addresses') AS tcp, current_setting('unix_socket_directories') AS unix";
  t.same(await runSql(url, where), [{ tcp: '127.0.0.1', unix: '' }]);
  await second.stop();
  await removeEmbeddedPostgres(folder);
  t.notOk(existsSync(folder));
});

t.test('a server that ends by itself is told with the end of its log', async (t) => {
  const folder = newFolder(t);
  let tell: (lines: string) => void = () => undefined;
  const told = new Promise<string>((resolve) => (tell = resolve));
  const server = await startEmbeddedPostgres({ folder, onUnexpectedExit: (lines) => tell(lines) });
  const [row] = await runSql<{ data: string }>(
    server.connectionString('postgres'),
    "SELECT current_setting('data_directory') AS data",
  );
  process.kill(Number(readFileSync(join(row?.data ?? '', 'postmaster.pid'), 'utf8').split('\n')[0]), 'SIGINT');
  t.match(await told, /shut down/);
  await server.stop();
});

t.test('a port that is taken and a state without its password are told', async (t) => {
  const folder = newFolder(t);
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await t.rejects(startEmbeddedPostgres({ folder, port }), {
    code: 'port-taken',
    message: new RegExp(`port ${port} of 127.0.0.1 .*choose another`),
  });
  rmSync(join(folder, 'password'));
  await t.rejects(startEmbeddedPostgres({ folder }), { message: /no password in .*remove both/ });
});

t.test('a state below a folder that only its owner may pass', async (t) => {
  // To a server that root starts as nobody this is a project below /root: its data lie elsewhere, and go with it.
  const closed = mkdtempSync(join(tmpdir(), 'keyd-test-closed-'));
  t.teardown(() => rmSync(closed, { recursive: true, force: true }));
  const folder = join(closed, 'postgres');
  const server = await startEmbeddedPostgres({ folder });
  const [row] = await runSql<{ data: string }>(
    server.connectionString('postgres'),
    "SELECT current_setting('data_directory') AS data",
  );
  t.equal(row?.data.startsWith(closed), process.getuid?.() !== 0);
  await server.stop();
  const again = await startEmbeddedPostgres({ folder });
  t.same(await runSql(again.connectionString('postgres'), 'SELECT 1 AS n'), [{ n: 1 }]);
  await again.stop();
  await removeEmbeddedPostgres(folder);
  t.notOk(existsSync(row?.data ?? ''));
});

t.test('an initdb that was interrupted is begun again', async (t) => {
  const folder = newFolder(t);
  mkdirSync(join(folder, 'data.unfinished'), { recursive: true });
  writeFileSync(join(folder, 'data.unfinished', 'PG_VERSION'), '18\n');
  const server = await startEmbeddedPostgres({ folder });
  t.same(await runSql(server.connectionString('postgres'), 'SELECT 1 AS n'), [{ n: 1 }]);
  t.notOk(existsSync(join(folder, 'data.unfinished')));
  await server.stop();
});

t.test('kill -9 of the process that started it leaves no server', { skip: process.platform !== 'linux' }, async (t) => {
  const folder = newFolder(t);
  for (const prepare of ['with setpriv', 'without setpriv'] as const) {
    // Without setpriv in reach, nobody stops the server when its parent dies: the next start does.
    const env = { ...process.env, PATH: prepare === 'with setpriv' ? process.env['PATH'] : '/nonexistent' };
    const parent = spawn(process.execPath, [PARENT, folder], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(createInterface(parent.stdout), 'line')) as [string];
    const { pid, port } = JSON.parse(line) as { pid: number; port: number };
    t.ok(isAlive(pid));
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    if (prepare === 'with setpriv') await until(() => !isAlive(pid));
    t.equal(isAlive(pid), prepare === 'without setpriv', prepare);
    const told: string[] = [];
    const next = await startEmbeddedPostgres({ folder, port, log: (text) => told.push(text) });
    t.notOk(isAlive(pid), 'the next start takes its place, on the same port');
    t.equal(
      told.some((text) => text.includes(`server ${pid} that was left running`)),
      prepare === 'without setpriv',
    );
    await next.stop();
  }
});

t.test('a stale pid file that names somebody else harms nobody', { skip: process.platform !== 'linux' }, async (t) => {
  const folder = newFolder(t);
  const server = await startEmbeddedPostgres({ folder });
  const [row] = await runSql<{ data: string }>(
    server.connectionString('postgres'),
    "SELECT current_setting('data_directory') AS data",
  );
  const pidFile = join(row?.data ?? '', 'postmaster.pid');
  const content = readFileSync(pidFile, 'utf8');
  await server.kill9();
  const bystander = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'ignore' });
  t.teardown(() => bystander.kill());
  writeFileSync(pidFile, content.replace(/^\d+/, String(bystander.pid)));
  await server.restart();
  t.same(await runSql(server.connectionString('postgres'), 'SELECT 1 AS n'), [{ n: 1 }]);
  t.ok(isAlive(bystander.pid ?? 0), 'the bystander lives');
  await server.stop();
});
