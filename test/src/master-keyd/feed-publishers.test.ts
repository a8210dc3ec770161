import { RESUME_AFTER_RESTORE_PATH, REPORT_PATH, resumedAfterRestore, type PeerClient } from '@sigv4-keyd/hop-protocol';
import { FeedState, verifyBeacon, type FeedDocument } from '@sigv4-keyd/revocation';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import t from 'tap';
import { z } from 'zod';
import { keydctl, type Call, type Result } from '../keydctl/keydctl-under-test.js';
import { createFeedKeys, Publisher, RULE } from '../revocation/publisher.js';
import { day } from '../support/days.js';
import { freshDatabase, postgresOfItsOwn, runSql, sharedPostgres } from '../support/postgres.js';
import {
  addAccessKey,
  beatsUntil,
  feed,
  feedOf,
  presentFeed,
  regionClient,
  revocations,
  revoke,
} from './feed-clients.js';
import { sharedFeedKeys, startMaster, TODAY, type MasterUnderTest } from './master-under-test.js';

t.setTimeout(120_000);

const HOLDER = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 7434003 AND granted";

async function versionOf(document: FeedDocument | undefined): Promise<number> {
  const { pinned } = await sharedFeedKeys();
  return document === undefined ? 0 : (await verifyBeacon(document.beacon, pinned)).beacon.version;
}

async function publishersAmong(masters: readonly MasterUnderTest[]): Promise<readonly MasterUnderTest[]> {
  const feeds = await Promise.all(masters.map(async (master) => ({ master, own: await feedOf(master) })));
  return feeds.filter(({ own }) => own.isPublisher).map(({ master }) => master);
}

t.test('one of the masters publishes on each beat, and another when it cannot', async (t) => {
  const first = await startMaster(t);
  const { database, custodyKey, authority, clock } = first;
  const second = await startMaster(t, { database, custodyKey, authority, clock, name: 'm2' });
  const masters = [first, second];
  t.same(await publishersAmong(masters), [first]);
  const operators = await Promise.all(masters.map((master) => master.operator()));
  const beats = async (): Promise<readonly number[]> =>
    Promise.all(operators.map(async (operator) => versionOf(await feed(operator))));
  const [before = 0] = await beats();
  await beatsUntil(first, async () => (await beats()).every((version) => version > before + 3));
  const stored = await runSql<{ version: number }>(database, 'SELECT version::integer FROM feed_beacon');
  t.ok((stored[0]?.version ?? 0) >= before + 4, 'nothing has changed, and beacons go on at both masters');

  const [holder] = await runSql<{ pid: number }>(database, HOLDER);
  await runSql(database, 'SELECT pg_terminate_backend($1)', [holder?.pid]);
  const atBreak = Math.max(...(await beats()));
  await beatsUntil(first, async () => (await publishersAmong(masters)).length === 1);
  await beatsUntil(first, async () => (await beats()).every((version) => version > atBreak + 2));
  t.equal((await runSql(database, HOLDER)).length, 1, 'one session has the lock again');

  await first.service.close();
  const afterClose = await versionOf(await feed(await second.operator()));
  await beatsUntil(second, async () => (await versionOf(await feed(await second.operator()))) > afterClose + 2);
  t.same(await publishersAmong([second]), [second]);
  const dates = await runSql<{ ok: boolean }>(database, 'SELECT signed_at <= $1 AS ok FROM feed_beacon', [
    new Date(clock.now()),
  ]);
  t.same(dates, [{ ok: true }]);
});

t.test('a beacon is never dated before the last one, nor a version used twice', async (t) => {
  const master = await startMaster(t);
  const { pinned } = await sharedFeedKeys();
  const { database } = master;
  const operator = await master.operator();
  const ahead = '2026-11-22T12:05:00.000Z';
  await runSql(database, 'UPDATE feed_beacon SET signed_at = $1', [ahead]);
  await revoke(operator, { from: TODAY, to: TODAY });
  t.equal((await verifyBeacon((await presentFeed(operator)).beacon, pinned)).beacon.at, ahead);
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => revoke(operator, { from: TODAY, to: TODAY, reason: randomUUID() })),
  );
  const { revocations: all } = await revocations(operator);
  t.equal(all.length, 11);
  t.equal(new Set([...answers.map(({ statement }) => statement.id)]).size, 10);
  const positions = await runSql<{ position: number }>(database, 'SELECT position FROM revocation_statement');
  t.same(
    positions.map(({ position }) => position).sort((a, b) => a - b),
    Array.from({ length: 11 }, (_, n) => n),
  );
  t.equal((await verifyBeacon((await presentFeed(operator)).beacon, pinned)).beacon.count, 11);
});

t.test('statements leave the feed when no signature can need them any more', async (t) => {
  const master = await startMaster(t, { env: { KEYD_LONGEST_PRESIGNED: '1h', KEYD_BEACON_EVERY: '60s' } });
  const operator = await master.operator();
  await revoke(operator, { from: '20261101', to: TODAY });
  t.equal((await presentFeed(operator)).statements?.length, 1);
  // The day's end, the longest presigned life, and the skew twice.
  await master.clock.moveTo('2026-11-23T01:29:59.000Z');
  const there = await versionOf(await feed(operator));
  await beatsUntil(master, async () => (await presentFeed(operator)).statements?.length === 0);
  t.ok((await versionOf(await feed(operator))) > there);
  t.equal((await revocations(operator)).revocations.length, 1, 'it stays in the list');
  t.equal((await runSql(master.database, 'SELECT 1 FROM revocation_statement')).length, 1, 'and in the database');
});

t.test('a stored statement that no pinned key signed is told and not published', async (t) => {
  const master = await startMaster(t);
  const { database, custodyKey, authority } = master;
  await revoke(await master.operator(), { from: TODAY, to: TODAY });
  const stranger = new Publisher(await createFeedKeys());
  const { jws } = await stranger.revoke();
  await runSql(
    database,
    `INSERT INTO revocation_statement (position, digest, id, kind, incident, last_date, signed_at, jws)
     VALUES (1, $1, $2, 'revocation', 'INC-8', '20261122', now(), $3)`,
    ['f'.repeat(64), randomUUID(), jws],
  );
  const restarted = await startMaster(t, { database, custodyKey, authority });
  await beatsUntil(restarted, async () => (await feedOf(restarted)).unpublishable === 1);
  t.ok(restarted.logged.some((line) => line.includes('"code":"unknown-key"') && line.includes('ALARM')));
  const { pinned } = await sharedFeedKeys();
  const state = FeedState.empty(pinned, RULE);
  const taken = await state.accept(await presentFeed(await restarted.operator()), restarted.clock.now());
  t.match(taken, { beacon: { outcome: 'advanced', beacon: { count: 1 } }, refusedStatements: [] });
});

t.test('nothing that was published is lost to kill -9 of PostgreSQL', async (t) => {
  const server = await postgresOfItsOwn(t);
  const database = await freshDatabase(t, server);
  const master = await startMaster(t, { database });
  const { pinned } = await sharedFeedKeys();
  const operator = await master.operator();
  const acknowledged = new Set<string>();
  let failed = 0;
  for (let round = 0; round < 4; round += 1) {
    let killing: Promise<void> | undefined;
    const outcomes = await Promise.allSettled(
      Array.from({ length: 12 }, async (_, n) => {
        const { statement } = await revoke(operator, { from: TODAY, to: TODAY });
        acknowledged.add(statement.id);
        if (n >= 3) killing ??= server.kill9();
      }),
    );
    await killing;
    failed += outcomes.filter(({ status }) => status === 'rejected').length;
    await server.restart();
  }
  t.ok(acknowledged.size >= 4 && failed > 0, `${acknowledged.size} were acknowledged, ${failed} were not`);
  const version = await versionOf(await feed(operator));
  await beatsUntil(master, async () => (await versionOf(await feed(operator))) > version);
  const state = FeedState.empty(pinned, RULE);
  const { newStatements, beacon } = await state.accept(await presentFeed(operator), master.clock.now());
  t.match(beacon, { outcome: 'advanced' });
  const published = new Set(newStatements.map(({ statement }) => statement.id));
  t.same(
    [...acknowledged].filter((id) => !published.has(id)),
    [],
    'what was answered is in the feed',
  );
});

function report(client: PeerClient, seen?: object): Promise<undefined> {
  const instant = '2026-11-22T12:00:00.000Z';
  const own = { startedAt: instant, version: '0.1.0', heldDays: [], certificateExpiresAt: instant };
  const body = { ...own, edges: [], ...(seen && { feed: seen }) };
  return client.call({ method: 'POST', path: REPORT_PATH, body, answer: z.undefined() });
}

t.test('a database restored from a backup: nothing goes on until an operator says so', async (t) => {
  const server = await sharedPostgres();
  const database = await freshDatabase(t);
  const { pinned } = await sharedFeedKeys();
  const original = await startMaster(t, { database });
  const { custodyKey, authority, clock } = original;
  await addAccessKey(await original.operator(), 'AKIAONE');
  await revoke(await original.operator(), { region: 'eu-west-1', from: TODAY, to: TODAY });
  await original.service.close();
  const backup = await freshDatabase(t);
  const nameOf = (url: string): string => new URL(url).pathname.slice(1);
  await runSql(server.connectionString('postgres'), `DROP DATABASE ${nameOf(backup)}`);
  await runSql(server.connectionString('postgres'), `CREATE DATABASE ${nameOf(backup)} TEMPLATE ${nameOf(database)}`);

  const goingOn = await startMaster(t, { database, custodyKey, authority, clock });
  await revoke(await goingOn.operator(), { region: 'us-east-1', from: TODAY, to: TODAY });
  await beatsUntil(goingOn, async () => (await feedOf(goingOn)).version > 20);
  const held = await presentFeed(await goingOn.operator());
  const region = FeedState.empty(pinned, RULE);
  await region.accept(held, clock.now());
  await goingOn.service.close();

  const restored = await startMaster(t, { database: backup, custodyKey, authority, clock });
  const operator = await restored.operator();
  const client = await regionClient(restored);
  const keys = await restored.region('us-east-1');
  const issue = (): Promise<unknown> => keys.issue({ date: day(TODAY), accessKeyIds: ['AKIAONE'] });
  const { version = 0, at = '' } = region.beacon ?? {};

  const stranger = new Publisher(await createFeedKeys());
  const forged = await stranger.beacon(clock.now(), [], { version: 1_000_000 });
  await report(client, { version: 1_000_000, at, beacon: forged });
  const before = await versionOf(await feed(operator));
  await beatsUntil(restored, async () => (await versionOf(await feed(operator))) > before);
  t.equal((await restored.health('/health/ready')).status, 200, 'no region can stop the masters by its word alone');
  t.ok(restored.logged.some((line) => line.includes('beacon-disbelieved')));
  await issue();

  await report(client, { version, at, beacon: held.beacon });
  await beatsUntil(restored, async () => (await restored.health('/health/ready')).status === 503);
  const { body } = await restored.health('/health/ready');
  t.match(body, { notReady: [new RegExp(`has seen version ${version} of.*restored from a backup.*restore.md`)] });
  await t.rejects(issue(), { code: 'not-ready', detail: /restored from a backup/ });
  await t.rejects(revoke(operator, { from: TODAY, to: TODAY }), { code: 'not-ready' });
  t.equal(await feed(client), undefined, 'the old state is not served');
  t.equal(restored.logged.filter((line) => line.includes('ALARM')).length, 1, 'told once');
  const again = await startMaster(t, { database: backup, custodyKey, authority, clock, name: 'm2' });
  t.equal((await again.health('/health/ready')).status, 503, 'another master, or this one restarted, refuses, too');

  const resume = (body: object): Promise<z.infer<typeof resumedAfterRestore>> =>
    operator.call({ method: 'POST', path: RESUME_AFTER_RESTORE_PATH, body, answer: resumedAfterRestore });
  const strange = await stranger.revoke();
  await t.rejects(resume({ statements: [strange.jws] }), { code: 'malformed-request', detail: /statements\[0\]/ });

  const folder = t.testdir({ 'feed-state.json': region.serialise(), 'half.json': region.serialise().slice(0, 99) });
  const file = join(folder, 'feed-state.json');
  const credentials = dirname((await authority.filesOf({ role: 'operator', name: 'olga' })).cert);
  const env = {
    KEYD_MASTER: `https://${restored.service.addresses['hop'] ?? ''}`,
    KEYD_CREDENTIALS: credentials,
    NO_COLOR: '1',
  };
  const run = (args: readonly string[], call: Call = {}): Promise<Result> =>
    keydctl(['revocation', 'resume', ...args], { env, ...call });
  t.match(await run([]), { code: 2, err: /nothing to put back from.*--without-files/ });
  t.match(await run([file]), { code: 2, err: /no terminal to confirm it on/ });
  const half = join(folder, 'half.json');
  t.match(await run([file, half, '--yes']), { code: 1, err: /half\.json: .*not JSON.*KEYD_STATE_FOLDER/ });
  t.match(await run([file, 'nowhere.json', '--yes']), { code: 1, err: /nowhere\.json/ });
  t.match(await run([file], { input: 'yes\n', isTerminal: true }), { code: 1, err: /Type resume to go on/ });
  t.equal((await restored.health('/health/ready')).status, 503, 'nothing was done');
  const resumed = await run([file, file], { input: 'resume\n', isTerminal: true });
  t.match(resumed, { code: 0, err: /3 signed statements from 2 files/ });
  t.match(resumed.out, /publishing again/);
  t.match(resumed.out, new RegExp(`first beacon +version ${version + 1}`));
  t.match(resumed.out, /revocations and lifts put back +1\n/, 'what the backup lacked is back');
  t.match(await run([file, '--yes']), { code: 1, err: /wrong-state|is not behind/ });
  t.equal((await restored.health('/health/ready')).status, 200);
  await issue();
  const { beacon, newStatements } = await region.accept(await presentFeed(client), clock.now());
  t.match(beacon, { outcome: 'advanced', beacon: { count: 3 } }, 'regions go on: two statements and a page');
  t.same(newStatements, []);
  await beatsUntil(again, async () => (await again.health('/health/ready')).status === 200);
  await beatsUntil(again, async () => (await feedOf(again)).version > version);
  t.pass('the other master goes on by itself');
  const actions = await runSql(backup, "SELECT detail FROM operator_action WHERE action = 'resume-after-restore'");
  t.match(actions, [{ detail: { past: version, putBack: 1 } }]);
});

t.test('a master that lives through a restore remembers what the database forgot', async (t) => {
  const master = await startMaster(t);
  const { database } = master;
  const { pinned } = await sharedFeedKeys();
  const operator = await master.operator();
  await revoke(operator, { from: TODAY, to: TODAY });
  const state = FeedState.empty(pinned, RULE);
  await state.accept(await presentFeed(operator), master.clock.now());
  await runSql(
    database,
    `ALTER TABLE revocation_statement DISABLE TRIGGER USER; DELETE FROM revocation_statement;
     ALTER TABLE revocation_statement ENABLE TRIGGER USER;
     UPDATE feed_beacon SET version = 1, jws = '', signed_at = '2026-11-22T00:00:00Z'`,
  );
  await t.rejects(revoke(operator, { from: TODAY, to: TODAY }), { code: 'not-ready' });
  t.equal((await runSql(database, 'SELECT 1 FROM revocation_statement')).length, 0);
  await beatsUntil(master, async () => (await master.health('/health/ready')).status === 503);
  const path = RESUME_AFTER_RESTORE_PATH;
  const resumed = await operator.call({ method: 'POST', path, body: {}, answer: resumedAfterRestore });
  t.equal(resumed.putBack, 1);
  const { beacon } = await state.accept(await presentFeed(operator), master.clock.now());
  t.match(beacon, { outcome: 'advanced', beacon: { count: 1 } });
});
