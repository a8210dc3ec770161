import { ACCESS_KEYS_PATH, ACCESS_KEY_IMPORT_PATH, STATUS_PATH } from '@sigv4-keyd/hop-protocol';
import { configuration, shippedMigrations, startMasterKeyd } from '@sigv4-keyd/master-keyd';
import { readConfiguration } from '@sigv4-keyd/service-skeleton';
import { randomBytes } from 'node:crypto';
import t, { type Test } from 'tap';
import { z } from 'zod';
import { TestAuthority } from '../support/certificates.js';
import { day } from '../support/days.js';
import { freshDatabase, postgresOfItsOwn, runSql, sharedPostgres } from '../support/postgres.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { capturedLog, environment, NOON, startMaster, TODAY, type MasterUnderTest } from './master-under-test.js';

const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';

/** Starts a master that is expected to refuse; whatever it does, its clock goes on until it has done it. */
async function attempt(
  t: Test,
  database: string,
  options: { readonly custodyKey?: Buffer; readonly env?: Record<string, string> } = {},
): Promise<{ readonly failure: unknown; readonly logged: readonly string[] }> {
  const { custodyKey = randomBytes(32), env = {} } = options;
  const authority = await TestAuthority.create(t.testdir());
  const settings = readConfiguration(configuration, await environment(authority, { database, custodyKey, env }));
  const clock = new VirtualClock(NOON);
  const { log, logged } = capturedLog();
  const state = { isSettled: false };
  const outcome = startMasterKeyd(settings, { clock, log }).then(
    async (service) => {
      await service.close();
      return undefined;
    },
    (error: unknown) => error,
  );
  void outcome.finally(() => (state.isSettled = true));
  while (!state.isSettled) {
    await clock.advance(100);
    await new Promise(setImmediate);
  }
  return { failure: await outcome, logged };
}

async function addAccessKeys(master: MasterUnderTest, ids: readonly string[]): Promise<void> {
  const operator = await master.operator();
  for (const accessKeyId of ids) {
    const body = { owner: 'ann', accessKeyId, secretAccessKey: SECRET };
    await operator.call({ method: 'POST', path: ACCESS_KEY_IMPORT_PATH, body, answer: z.any() });
  }
}

/** Moves the clock from beat to beat until the master says of itself what is expected. */
async function beatsUntilReady(master: MasterUnderTest, status: 200 | 503): Promise<unknown> {
  for (;;) {
    const ready = await master.health('/health/ready');
    if (ready.status === status) return ready.body;
    await master.clock.advance(5_000);
  }
}

t.test('replicas that start together on an empty database agree', async (t) => {
  const database = await freshDatabase(t);
  const custodyKey = randomBytes(32);
  const authority = await TestAuthority.create(t.testdir());
  const start = (name: string): Promise<MasterUnderTest> => startMaster(t, { database, custodyKey, authority, name });
  const masters = await Promise.all(['m1', 'm2', 'm3', 'm4'].map(start));
  const applied = await runSql<{ version: number }>(database, 'SELECT version FROM schema_migration ORDER BY version');
  const shipped = await shippedMigrations();
  t.same(
    applied,
    shipped.map(({ version }) => ({ version })),
  );
  t.equal((await runSql(database, 'SELECT 1 FROM custody_check')).length, 1);
  const migrated = masters.flatMap(({ logged }) => logged.filter((line) => line.includes('schema migrated')));
  t.equal(migrated.length, shipped.length, 'each step was taken by one of them');
  for (const master of masters) {
    t.match(await master.health('/status'), { status: 200, body: { ready: true, schemaVersion: shipped.length } });
  }
  await startMaster(t, { database, custodyKey, authority, name: 'm5' });
  t.pass('and another one finds all done');
});

t.test('a schema of another release is refused', async (t) => {
  const database = await freshDatabase(t);
  const custodyKey = randomBytes(32);
  t.equal((await attempt(t, database, { custodyKey })).failure, undefined);
  const { length: own } = await shippedMigrations();
  await runSql(database, "INSERT INTO schema_migration VALUES ($1, 'of-tomorrow.sql', 'x')", [own + 1]);
  t.match((await attempt(t, database, { custodyKey })).failure, {
    exitCode: 69,
    message: new RegExp(`schema version ${own + 1} .*of-tomorrow.*newer than this program's ${own}; upgrade`),
  });
  await runSql(database, 'DELETE FROM schema_migration WHERE version > $1', [own]);
  await runSql(database, "UPDATE schema_migration SET checksum = 'edited' WHERE version = 2");
  t.match((await attempt(t, database, { custodyKey })).failure, {
    exitCode: 69,
    message: /0002-records\.sql was applied .* in another form/,
  });
  await runSql(database, 'DELETE FROM schema_migration WHERE version = 1');
  t.match((await attempt(t, database, { custodyKey })).failure, { exitCode: 69 }, 'a step that is missing');
});

t.test('what waiting cannot mend is told at once, and says what to do', async (t) => {
  const server = await sharedPostgres();
  const database = new URL(await freshDatabase(t));
  const withPart = (change: (url: URL) => void): string => {
    const url = new URL(database);
    change(url);
    return url.href;
  };
  const role = `weak_${database.pathname.slice(1)}`;
  await runSql(server.connectionString('postgres'), `CREATE ROLE ${role} LOGIN PASSWORD 'weak'`);
  t.teardown(() => runSql(server.connectionString('postgres'), `DROP ROLE ${role}`));
  const table: readonly (readonly [string, string, number, RegExp])[] = [
    ['a wrong password', withPart((url) => (url.password = 'guessed')), 78, /user or the password.*correct/],
    ['an unknown user', withPart((url) => (url.username = 'nobody')), 78, /user or the password/],
    ['an unknown database', server.connectionString('no_such_database'), 78, /does not exist.*create it/],
    ['TLS where there is none', withPart((url) => (url.search = '?sslmode=verify-full')), 78, /cannot be used.*SSL/],
    [
      'no right to create tables',
      withPart((url) => {
        url.username = role;
        url.password = 'weak';
      }),
      69,
      /permission denied.*able to create tables/,
    ],
    [
      'records that may be lost',
      withPart((url) => (url.search = '?options=-c%20synchronous_commit%3Doff')),
      78,
      /synchronous_commit.*switch both on/,
    ],
  ];
  for (const [what, url, exitCode, message] of table) {
    const { failure, logged } = await attempt(t, url);
    t.match(failure, { name: 'StartError', exitCode, message }, what);
    t.notOk(
      logged.some((line) => line.includes('waiting')),
      `${what}: without waiting`,
    );
    t.notOk(String(failure).includes('guessed') || String(failure).includes(database.password), 'no password is told');
  }
});

t.test('another custody key than the one of the database is refused', async (t) => {
  const database = await freshDatabase(t);
  const custodyKey = randomBytes(32);
  t.equal((await attempt(t, database, { custodyKey })).failure, undefined);
  t.match((await attempt(t, database)).failure, { exitCode: 78, message: /KEYD_CUSTODY_KEY is not the key/ });
  t.equal((await attempt(t, database, { custodyKey })).failure, undefined, 'the right one is taken as before');
  await runSql(
    database,
    `INSERT INTO access_key (id, owner, status, created_at, version, sealed_secret)
     VALUES ('AKIAOLD', 'ann', 'enabled', now(), 1, '\\x01');
     DELETE FROM custody_check`,
  );
  t.match((await attempt(t, database)).failure, { exitCode: 78, message: /restore table custody_check/ });
});

t.test('a database that is not up is waited for, but not for ever', async (t) => {
  const server = await postgresOfItsOwn(t);
  const database = await freshDatabase(t, server);
  await server.stop();
  const { failure, logged } = await attempt(t, database, { env: { KEYD_DATABASE_WAIT: '30s' } });
  t.match(failure, { exitCode: 69, message: /did not answer within 30 seconds \(ECONNREFUSED\); check/ });
  t.ok(logged.filter((line) => line.includes('waiting for the database')).length >= 3, 'progress was told');

  const clock = new VirtualClock(NOON);
  const authority = await TestAuthority.create(t.testdir());
  const { log, logged: told } = capturedLog();
  const env = await environment(authority, { database, custodyKey: randomBytes(32) });
  const starting = startMasterKeyd(readConfiguration(configuration, env), { clock, log });
  while (!told.some((line) => line.includes('waiting'))) await new Promise(setImmediate);
  await server.restart();
  const state = { isUp: false };
  void starting.finally(() => (state.isUp = true));
  // The clock stands between its beats while the attempts, which take real time, are under way.
  while (!state.isUp) {
    await clock.advance(1);
    await new Promise(setImmediate);
  }
  const service = await starting;
  t.ok(service.addresses['hop']);
  await service.close();
});

t.test('a database that goes and comes back', async (t) => {
  const server = await postgresOfItsOwn(t);
  const master = await startMaster(t, { database: await freshDatabase(t, server) });
  await addAccessKeys(master, ['AKIAONE']);
  const region = await master.region('us-east-1');
  const operator = await master.operator();
  const request = { date: day(TODAY), accessKeyIds: ['AKIAONE'] };
  const issue = (): Promise<unknown> => region.issue(request);
  await issue();
  await beatsUntilReady(master, 200);

  await server.kill9();
  await t.rejects(issue(), { code: 'database-unavailable' });
  await t.rejects(operator.call({ method: 'GET', path: STATUS_PATH, answer: z.any() }), {
    code: 'database-unavailable',
  });
  const body = { owner: 'ann' };
  await t.rejects(operator.call({ method: 'POST', path: ACCESS_KEYS_PATH, body, answer: z.any() }), {
    code: 'database-unavailable',
  });
  t.match(await beatsUntilReady(master, 503), { ready: false, notReady: ['the database does not take records'] });
  t.equal((await master.health('/health/live')).status, 200, 'it lives on');

  await server.restart();
  await issue();
  t.pass('by itself');
  t.match(await beatsUntilReady(master, 200), { ready: true, notReady: [] });
  const told = master.logged.filter((line) => line.includes('does not take records; no key'));
  t.equal(told.length, 1, 'the outage was told once, not on every beat');
});

t.test('nothing that was answered is lost to kill -9 of PostgreSQL', async (t) => {
  const server = await postgresOfItsOwn(t);
  const database = await freshDatabase(t, server);
  const master = await startMaster(t, { database });
  const ids = Array.from({ length: 60 }, (_, n) => `AKIA${n}`);
  await addAccessKeys(master, ids);
  const region = await master.region('us-east-1');
  const operator = await master.operator();
  const answered: string[] = [];
  const created: string[] = [];
  let killing: Promise<void> | undefined;
  const outcomes = await Promise.allSettled(
    ids.map(async (id, n) => {
      if (n % 10 === 0) {
        const body = { owner: 'ann', accessKeyId: `NEW${n}`, secretAccessKey: SECRET };
        await operator.call({ method: 'POST', path: ACCESS_KEY_IMPORT_PATH, body, answer: z.any() });
        created.push(`NEW${n}`);
      }
      await region.issue({ date: day(TODAY), accessKeyIds: [id] });
      answered.push(id);
      if (answered.length === 20) killing = server.kill9();
    }),
  );
  await killing;
  await server.restart();
  const failed = outcomes.filter(({ status }) => status === 'rejected');
  t.ok(answered.length >= 20 && failed.length > 0, `the crash came in the middle (${failed.length} failed)`);
  const recorded = await runSql<{ id: string }>(database, 'SELECT unnest(access_key_ids) AS id FROM issuance');
  const known = new Set(recorded.map(({ id }) => id));
  t.same(
    answered.filter((id) => !known.has(id)),
    [],
    'every key that was handed out is on record',
  );
  const kept = await runSql<{ id: string }>(database, "SELECT id FROM access_key WHERE id LIKE 'NEW%'");
  const there = new Set(kept.map(({ id }) => id));
  t.same(
    created.filter((id) => !there.has(id)),
    [],
    'every access key that was answered is there',
  );
});
