import { createMtlsAgent } from '@sigv4-keyd/fastify-mtls';
import {
  ACCESS_KEY_IMPORT_PATH,
  FEED_PATH,
  mtlsKeySource,
  PeerClient,
  REGION_KEYS,
  REVOCATIONS_PATH,
  type RegionKeySource,
} from '@sigv4-keyd/hop-protocol';
import { DatabaseHosts, openPool, parseDatabaseUrl } from '@sigv4-keyd/master-keyd';
import type { EmbeddedPostgres } from '@sigv4-keyd/local-stack';
import { randomBytes, randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import t, { type Test } from 'tap';
import { z } from 'zod';
import { TestAuthority } from '../support/certificates.js';
import { day } from '../support/days.js';
import { connected, postgresOfItsOwn, runSql } from '../support/postgres.js';
import { promote, standbyOf, urlOfAll, waitForStandby } from '../support/standby.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { capturedLog, NOON, startMaster, TODAY, type MasterUnderTest } from './master-under-test.js';
import { STANDING_TIMER } from '../support/standing-timer.js';

const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const DATABASE = 'keyd_failover';

interface Replicated {
  readonly primary: EmbeddedPostgres;
  readonly standby: EmbeddedPostgres;
  readonly masters: readonly MasterUnderTest[];
  readonly clock: VirtualClock;
  readonly operator: PeerClient;
  /** Asks whichever master answers. */
  readonly region: RegionKeySource;
}

/** Two masters over a primary that waits for its standby, and who calls them. */
async function setUp(t: Test): Promise<Replicated> {
  const primary = await postgresOfItsOwn(t);
  await runSql(primary.connectionString('postgres'), `CREATE DATABASE ${DATABASE}`);
  const standby = await standbyOf(t, primary);
  await waitForStandby(primary);
  const database = urlOfAll([primary, standby], DATABASE, '?target_session_attrs=read-write');
  const custodyKey = randomBytes(32);
  const clock = new VirtualClock(NOON);
  const authority = await TestAuthority.create(t.testdir());
  const masters: MasterUnderTest[] = [];
  for (const name of ['m1', 'm2']) {
    masters.push(await startMaster(t, { database, custodyKey, clock, authority, name }));
  }
  const urls = masters.map(({ service }) => new URL(`https://${service.addresses['hop'] ?? ''}`));
  const credentials = await authority.credentials({ role: 'region', region: 'us-east-1', name: 'r1' });
  const dispatcher = createMtlsAgent({
    credentials,
    timer: STANDING_TIMER,
    acceptsServer: ({ segments }) => segments[0] === 'master',
  });
  t.teardown(() => dispatcher.close());
  const operator = await masters[1]?.operator();
  if (!operator) throw new Error('no master');
  const region = mtlsKeySource(
    REGION_KEYS,
    { region: 'us-east-1' },
    new PeerClient({ urls, dispatcher, timer: STANDING_TIMER }),
  );
  return { primary, standby, masters, clock, operator, region };
}

function importKey(operator: PeerClient, accessKeyId: string): Promise<unknown> {
  const body = { owner: 'ann', accessKeyId, secretAccessKey: SECRET };
  return operator.call({ method: 'POST', path: ACCESS_KEY_IMPORT_PATH, body, answer: z.unknown() });
}

async function revoke(operator: PeerClient, incident: string): Promise<string> {
  const body = { region: 'eu-west-1', from: '20261120', to: '20261122', incident, reason: 'tried' };
  await operator.call({ method: 'POST', path: REVOCATIONS_PATH, body, answer: z.unknown() });
  return incident;
}

async function beats({ masters, clock }: Replicated, isEnough: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isEnough())) {
    await clock.advance(500);
    for (const master of masters) await master.health('/health/live');
  }
}

const feedOf = async (
  master: MasterUnderTest,
): Promise<{ readonly version: number; readonly isPublisher: boolean }> => {
  const { body } = await master.health('/status');
  return z.object({ feed: z.object({ version: z.number(), isPublisher: z.boolean() }) }).parse(body).feed;
};

const isReady = async (masters: readonly MasterUnderTest[]): Promise<boolean> =>
  (await Promise.all(masters.map((master) => master.health('/health/ready')))).every(({ status }) => status === 200);

t.test('a database URL with several hosts', (t) => {
  const names = (text: string): readonly string[] | undefined => parseDatabaseUrl(text)?.hosts.map(({ name }) => name);
  t.same(names('postgres://u:p@h1:5432,h2:5433/db'), ['h1:5432', 'h2:5433']);
  t.same(names('postgresql://u:p@h1,[::1]:5433,10.0.0.1/db?sslmode=verify-full'), ['h1', '[::1]:5433', '10.0.0.1']);
  t.same(names('postgres://u@h1/db'), ['h1']);
  const one = 'postgres://u:p%40%2C@h1:5432/db?application_name=a%20b';
  t.equal(parseDatabaseUrl(one)?.hosts[0]?.connectionString, one, 'what is ours to read is all that is taken out');
  t.same(
    parseDatabaseUrl('postgres://u:p@h1,h2/db?target_session_attrs=primary&sslmode=require')?.hosts.map(
      ({ connectionString }) => connectionString,
    ),
    ['postgres://u:p@h1/db?sslmode=require', 'postgres://u:p@h2/db?sslmode=require'],
  );
  t.equal(parseDatabaseUrl('postgres://h/db')?.sessionAttributes, 'read-write');
  t.equal(parseDatabaseUrl('postgres://h/db?target_session_attrs=any')?.sessionAttributes, 'any');
  for (const wrong of [
    'postgres://u:p@h1:x,h2/db',
    'postgres://u:p@h1:99999,h2/db',
    'postgres://u:p@%,h2/db',
    'postgres://u:p@h1,h2/',
    'postgres://u:p@h1,h2',
    'mysql://u:p@h1,h2/db',
    'postgres://u:p@h1/db?host=a,b',
    'postgres://u:p@h1,h2/db?target_session_attrs=standby',
    'postgres://u:p@h1,h2/db?target_session_attrs=read-only',
    'h1,h2',
    '',
  ]) {
    t.equal(parseDatabaseUrl(wrong), undefined, wrong);
    t.throws(() => DatabaseHosts.of(wrong), TypeError);
  }
  t.end();
});

t.test('the primary is killed, the standby takes over: all that was acknowledged is there', async (t) => {
  const replicated = await setUp(t);
  const { primary, standby, masters, operator, region } = replicated;
  const ids = Array.from({ length: 12 }, (_, n) => `AKIA${n}`);
  for (const id of ids) await importKey(operator, id);
  await beats(replicated, () => isReady(masters));
  const before = await Promise.all(masters.map(feedOf));
  t.equal(before.filter(({ isPublisher }) => isPublisher).length, 1);

  const issued: string[] = [];
  const done: string[] = [];
  let failures = 0;
  let killing: Promise<void> | undefined;
  const work = Array.from({ length: 4 }, async (_, lane) => {
    for (let round = 0; round < 12; round += 1) {
      const id = ids[(round * 4 + lane) % ids.length] ?? '';
      try {
        await region.issue({ date: day(TODAY), accessKeyIds: [id] });
        issued.push(id);
        if (lane === 0) done.push(await revoke(operator, `before-${round}`));
      } catch {
        failures += 1;
      }
      if (issued.length >= 15) killing ??= primary.kill9();
    }
  });
  await Promise.all(work);
  await killing;
  t.ok(failures > 0 && issued.length >= 15, `${issued.length} were acknowledged, ${failures} failed`);
  await t.rejects(region.issue({ date: day(TODAY), accessKeyIds: ids.slice(0, 1) }), { code: 'database-unavailable' });
  t.notOk(await isReady(masters).then((ready) => ready && failures === 0));

  await promote(standby);
  t.equal((await region.issue({ date: day(TODAY), accessKeyIds: ids.slice(0, 1) })).issued.size, 1, 'by itself');
  await revoke(operator, 'after');
  await beats(replicated, async () => {
    const now = await Promise.all(masters.map(feedOf));
    const hasGoneOn = now.every(({ version }, n) => version > (before[n]?.version ?? 0) + 3);
    return hasGoneOn && now.filter(({ isPublisher }) => isPublisher).length === 1 && (await isReady(masters));
  });
  t.pass('the feed goes on, one master publishes, both are ready');

  const url = standby.connectionString(DATABASE);
  const records = await runSql<{ id: string; count: number }>(
    url,
    'SELECT unnest(access_key_ids) AS id, count(*)::integer AS count FROM issuance GROUP BY 1',
  );
  const recorded = new Map(records.map(({ id, count }) => [id, count]));
  for (const id of ids) {
    const acknowledged = issued.filter((one) => one === id).length;
    t.ok((recorded.get(id) ?? 0) >= acknowledged, `${id}: each of ${acknowledged} issuances is on record`);
  }
  const actions = await runSql(url, "SELECT 1 FROM operator_action WHERE action = 'revoke'");
  t.ok(done.length > 0 && actions.length >= done.length + 1, `${done.length} revocations before, one after`);
  const { statements } = z
    .object({ statements: z.array(z.string()) })
    .parse(await operator.call({ method: 'GET', path: `${FEED_PATH}?version=0&wait=0`, answer: z.unknown() }));
  const named = statements.map((jws) => Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString());
  for (const incident of [...done, 'after'])
    t.ok(
      named.some((text) => text.includes(`"${incident}"`)),
      incident,
    );
  t.notOk(
    masters.some(({ logged }) => logged.some((line) => line.includes('database-behind'))),
    'nothing was set back',
  );
  t.notOk(masters.some(({ logged }) => logged.some((line) => line.includes('replication-asynchronous'))));
});

t.test('a primary that takes no writes any more is left for the one that does', async (t) => {
  const replicated = await setUp(t);
  const { primary, standby, masters, operator, region } = replicated;
  for (const [query, isStandby] of [
    ['', false],
    ['?target_session_attrs=primary', false],
    ['?target_session_attrs=any', true],
  ] as const) {
    const pool = openPool(DatabaseHosts.of(urlOfAll([standby, primary], DATABASE, query)), capturedLog().log);
    const { rows } = await pool.query<{ answer: boolean }>('SELECT pg_is_in_recovery() AS answer');
    t.same(rows, [{ answer: isStandby }], query);
    await pool.end();
  }
  const nowhere = openPool(DatabaseHosts.of(urlOfAll([standby, standby], DATABASE)), capturedLog().log);
  const each = `127\\.0\\.0\\.1:${standby.port} is a standby`;
  await t.rejects(nowhere.query('SELECT 1'), new RegExp(`no host .* can be used \\(${each}; ${each}\\)`));
  await nowhere.end();

  await importKey(operator, 'AKIAONE');
  const issue = (): Promise<unknown> => region.issue({ date: day(TODAY), accessKeyIds: ['AKIAONE'] });
  await issue();
  const old = primary.connectionString('postgres');
  await runSql(old, 'ALTER SYSTEM SET default_transaction_read_only = on');
  await runSql(old, 'SELECT pg_reload_conf()');
  await t.rejects(issue(), { code: 'database-unavailable' }, 'neither takes writes');
  await promote(standby);
  await issue();
  await beats(replicated, async () => {
    const now = await Promise.all(masters.map(feedOf));
    return now.filter(({ isPublisher }) => isPublisher).length === 1 && (await isReady(masters));
  });
  const left = async (): Promise<number> =>
    (await runSql(old, "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'master-keyd%'")).length;
  await beats(replicated, async () => {
    await issue();
    return (await left()) === 0;
  });
  t.pass('no session is left on the old one: neither the lock of the publisher nor who listens for news');
  const locks = await runSql(
    standby.connectionString('postgres'),
    "SELECT 1 FROM pg_locks WHERE locktype = 'advisory'",
  );
  t.equal(locks.length, 1, 'the lock of the publisher is held on the new one');
});

t.test('a busy pool does not make its connections suspect, a lost server does', async (t) => {
  const server = await postgresOfItsOwn(t);
  const hosts = DatabaseHosts.of(urlOfAll([server], 'postgres'));
  const pool = openPool(hosts, capturedLog().log);
  t.teardown(() => pool.end());
  const busy = await Promise.all(Array.from({ length: 10 }, () => pool.connect()));
  await t.rejects(pool.query('SELECT 1'), /timeout exceeded/);
  t.equal(hosts.generation, 0);
  const pidOf = async (from: Pick<Pool, 'query'>): Promise<number | undefined> =>
    (await from.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid;
  const before = new Set<number | undefined>();
  for (const client of busy) before.add(await pidOf(client));
  for (const client of busy) client.release();
  t.ok(before.has(await pidOf(pool)), 'they are used again');
  const session = await connected(t, server.connectionString('postgres'));
  const name = randomUUID();
  await t.rejects(pool.query(`SELECT pg_terminate_backend(pg_backend_pid()), '${name}'`), { code: '57P01' });
  t.equal(hosts.generation, 1);
  for (let query = 0; query < 3; query += 1) t.notOk(before.has(await pidOf(pool)), 'none of before is used again');
  await session.query('SELECT 1');
});
