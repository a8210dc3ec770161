import {
  RESUME_AFTER_RESTORE_PATH,
  REPORT_PATH,
  resumedAfterRestore,
  rotateAccessKeyPath,
  rotatedAccessKey,
  type PeerClient,
  type RotatedAccessKey,
} from '@sigv4-keyd/hop-protocol';
import { FeedState, type AccessKeyChange } from '@sigv4-keyd/revocation';
import { exportKRegion } from '@sigv4-keyd/sigv4-core';
import t from 'tap';
import { z } from 'zod';
import { createFeedKeys, Publisher, RULE } from '../revocation/publisher.js';
import { day } from '../support/days.js';
import { freshDatabase, postgresOfItsOwn, runSql, sharedPostgres } from '../support/postgres.js';
import { addAccessKey, beatsUntil, change, feedOf, presentFeed, regionClient } from './feed-clients.js';
import { independentKRegion, sharedFeedKeys, startMaster, TODAY, type MasterUnderTest } from './master-under-test.js';

t.setTimeout(170_000);

const ANN = 'AKIAANN';
const BEN = 'AKIABEN';

/** What somebody below believes who has seen every document of this master. */
class Believer {
  readonly state: FeedState;
  readonly #master: MasterUnderTest;
  readonly #client: PeerClient;

  private constructor(master: MasterUnderTest, client: PeerClient, state: FeedState) {
    this.#master = master;
    this.#client = client;
    this.state = state;
  }

  static async of(master: MasterUnderTest, state?: FeedState): Promise<Believer> {
    const { pinned } = await sharedFeedKeys();
    return new Believer(master, await master.operator('reader'), state ?? FeedState.empty(pinned, RULE));
  }

  async changeOf(accessKeyId: string): Promise<AccessKeyChange | undefined> {
    await this.state.accept(await presentFeed(this.#client), this.#master.clock.now());
    return this.state.accessKeys.get(accessKeyId);
  }
}

function rotate(operator: PeerClient, accessKeyId: string, body: object = {}): Promise<RotatedAccessKey> {
  return operator.call({ method: 'POST', path: rotateAccessKeyPath(accessKeyId), body, answer: rotatedAccessKey });
}

t.test('every change is in the feed when it is answered', async (t) => {
  const master = await startMaster(t);
  const operator = await master.operator();
  await addAccessKey(operator, ANN);
  await addAccessKey(operator, BEN);
  const edge = await Believer.of(master);

  const { version, accessKeys } = await change(operator, [BEN, ANN], { kind: 'disable' });
  t.same(
    accessKeys.map(({ accessKeyId, status }) => [accessKeyId, status]),
    [
      [BEN, 'disabled'],
      [ANN, 'disabled'],
    ],
  );
  t.same(await edge.changeOf(ANN), { accessKeyId: ANN, change: version, status: 'disabled', secretVersion: 1 });
  t.match(await edge.changeOf(BEN), { status: 'disabled' });

  t.equal((await change(operator, [ANN], { kind: 'disable' })).accessKeys[0]?.status, 'disabled', 'again');
  t.ok(((await edge.changeOf(ANN))?.change ?? 0) > (version ?? 0), 'and it is told again');
  await change(operator, [ANN], { kind: 'enable' });
  t.match(await edge.changeOf(ANN), { status: 'enabled' });

  const expiresAt = '2026-12-01T00:00:00.000Z';
  t.match(await change(operator, [ANN], { kind: 'expire', expiresAt }), { accessKeys: [{ expiresAt }] });
  t.match(await edge.changeOf(ANN), { expiresAt: Date.parse(expiresAt) });
  const restrict = (parts: object) => change(operator, [ANN], { kind: 'restrict', ...parts });
  await restrict({ regions: ['us-east-1', 'eu-west-1'], services: ['sqs', 's3'] });
  t.match(await edge.changeOf(ANN), { regions: ['eu-west-1', 'us-east-1'], services: ['s3', 'sqs'] }, 'sorted');
  await restrict({ services: null });
  const narrowed = await edge.changeOf(ANN);
  t.match(narrowed, { regions: ['eu-west-1', 'us-east-1'] }, 'what is not named stays');
  t.equal(narrowed?.services, undefined);
  await restrict({ regions: null });
  t.equal((await change(operator, [ANN], { kind: 'expire', expiresAt: null })).accessKeys[0]?.expiresAt, undefined);
  const free = await edge.changeOf(ANN);
  t.same([free?.regions, free?.expiresAt], [undefined, undefined]);

  await change(operator, [ANN], { kind: 'delete' });
  t.match(await edge.changeOf(ANN), { status: 'deleted' });
  t.match(await edge.changeOf(BEN), { status: 'disabled', change: version }, 'the others are as they were');
  const pages = await runSql(master.database, 'SELECT 1 FROM access_key_page');
  t.equal(pages.length, 1, 'one page is signed anew');
  const actions = await runSql<{ action: string }>(
    master.database,
    "SELECT action FROM operator_action WHERE access_key_id = 'AKIAANN' ORDER BY at",
  );
  t.same(actions.map(({ action }) => action).sort(), [
    'delete',
    'disable',
    'disable',
    'enable',
    'expire',
    'expire',
    'import',
    'restrict',
    'restrict',
    'restrict',
  ]);
});

t.test('a dry run, and what cannot be', async (t) => {
  const master = await startMaster(t);
  const operator = await master.operator();
  await addAccessKey(operator, ANN);
  await addAccessKey(operator, BEN);
  await change(operator, [BEN], { kind: 'delete' });
  const before = await runSql(master.database, 'SELECT * FROM access_key ORDER BY id');
  const preview = await change(operator, [ANN], { kind: 'delete' }, { dryRun: true });
  t.match(preview, { accessKeys: [{ accessKeyId: ANN, status: 'enabled' }] });
  t.equal(preview.version, undefined);
  const refused: [name: string, ids: string[], wanted: Parameters<typeof change>[2], code: string][] = [
    ['one that never was', [ANN, 'AKIANEVER'], { kind: 'disable' }, 'not-found'],
    ['one that is deleted', [ANN, BEN], { kind: 'disable' }, 'wrong-state'],
    ['twice', [ANN, ANN], { kind: 'disable' }, 'malformed-request'],
    ['none', [], { kind: 'disable' }, 'malformed-request'],
    [
      'an expiry that has passed',
      [ANN],
      { kind: 'expire', expiresAt: '2026-11-22T12:00:00.000Z' },
      'malformed-request',
    ],
    ['no region at all', [ANN], { kind: 'restrict', regions: [] }, 'malformed-request'],
    ['nothing to change', [ANN], { kind: 'restrict' }, 'malformed-request'],
  ];
  for (const [name, ids, wanted, code] of refused) {
    for (const dryRun of [true, false]) {
      await t.rejects(
        change(operator, ids, wanted, { dryRun }),
        { code },
        `${name}, ${dryRun ? 'in a dry run' : 'meant'}`,
      );
    }
  }
  await t.rejects(rotate(operator, BEN), { code: 'wrong-state' });
  await t.rejects(rotate(operator, 'AKIANEVER'), { code: 'not-found' });
  await t.rejects(rotate(operator, ANN, { overlapSeconds: 0 }), { code: 'malformed-request' });
  t.same(await runSql(master.database, 'SELECT * FROM access_key ORDER BY id'), before, 'nothing was changed');
  for (const other of [await regionClient(master)]) {
    await t.rejects(change(other, [ANN], { kind: 'disable' }), { code: 'role-not-allowed' });
    await t.rejects(rotate(other, ANN), { code: 'role-not-allowed' });
  }
});

t.test('rotating: at once under the same id, or by a successor', async (t) => {
  const master = await startMaster(t);
  const operator = await master.operator();
  const region = await master.region('us-east-1');
  await addAccessKey(operator, ANN);
  await change(operator, [ANN], { kind: 'restrict', services: ['s3'] });
  const edge = await Believer.of(master);
  const kRegion = async (): Promise<Buffer | undefined> => {
    const found = (await region.issue({ date: day(TODAY), accessKeyIds: [ANN] })).issued.get(ANN);
    return found && exportKRegion(found.key);
  };
  const { accessKey, predecessor } = await rotate(operator, ANN);
  t.equal(predecessor, undefined);
  t.match(accessKey, { accessKeyId: ANN, status: 'enabled', services: ['s3'] });
  t.same(await kRegion(), independentKRegion(accessKey.secretAccessKey, TODAY, 'us-east-1'), 'the new secret counts');
  const told = await edge.changeOf(ANN);
  t.match(told, { secretVersion: accessKey.version, status: 'enabled' });
  t.equal(told?.secretVersion, told?.change, 'a version that no backup can bring back');
  t.notOk(JSON.stringify(await presentFeed(operator)).includes(accessKey.secretAccessKey));

  await change(operator, [ANN], { kind: 'restrict', regions: ['us-east-1'] });
  const succession = await rotate(operator, ANN, { overlapSeconds: 86_400 });
  t.match(succession.predecessor, { accessKeyId: ANN, expiresAt: '2026-11-23T12:00:00.000Z' });
  const { secretAccessKey, accessKeyId, ...successor } = succession.accessKey;
  t.match(successor, { owner: 'ann', regions: ['us-east-1'], services: ['s3'], status: 'enabled' });
  t.not(accessKeyId, ANN);
  t.match(await edge.changeOf(ANN), { expiresAt: Date.parse('2026-11-23T12:00:00.000Z') });
  const both = await region.issue({ date: day(TODAY), accessKeyIds: [ANN, accessKeyId] });
  t.equal(both.issued.size, 2, 'both are good for a while');
  t.same(
    both.issued.get(accessKeyId) && exportKRegion(both.issued.get(accessKeyId)!.key),
    independentKRegion(secretAccessKey, TODAY, 'us-east-1'),
  );
  t.equal((await rotate(operator, ANN, { overlapSeconds: 600 })).predecessor?.expiresAt, '2026-11-22T12:10:00.000Z');
  const longer = await rotate(operator, ANN, { overlapSeconds: 86_400 });
  t.equal(longer.predecessor?.expiresAt, '2026-11-22T12:10:00.000Z', 'an end is not put off');
  await master.clock.moveTo('2026-11-22T12:20:00.000Z');
  t.equal((await rotate(operator, ANN, { overlapSeconds: 60 })).accessKey.expiresAt, undefined, 'not born expired');
});

t.test('an import is told with the next beacon; an access key that was made here needs no word', async (t) => {
  const master = await startMaster(t);
  const operator = await master.operator();
  const edge = await Believer.of(master);
  await addAccessKey(operator, ANN);
  await beatsUntil(master, async () => (await edge.changeOf(ANN))?.status === 'enabled');
  t.equal(edge.state.accessKeys.size, 1);
});

t.test('two masters at once: numbers never meet, and both serve the same', async (t) => {
  const first = await startMaster(t);
  const { database, custodyKey, authority, clock } = first;
  const second = await startMaster(t, { database, custodyKey, authority, clock, name: 'm2' });
  const operators = await Promise.all([first.operator(), second.operator()]);
  const ids = Array.from({ length: 6 }, (_, index) => `AKIARACE${index}`);
  for (const id of ids) await addAccessKey(operators[0], id);
  const kinds = ['disable', 'enable'] as const;
  const answers = await Promise.all(
    Array.from({ length: 24 }, (_, index) =>
      change(operators[index % 2]!, [ids[index % 6]!, ids[(index + 1) % 6]!], { kind: kinds[index % 2]! }),
    ),
  );
  const versions = answers.map(({ version }) => version);
  t.equal(new Set(versions).size, answers.length, 'each has a version of its own');
  const rows = await runSql<{ id: string; status: string; changed_in: string }>(
    database,
    'SELECT id, status, changed_in FROM access_key',
  );
  for (const master of [first, second]) {
    const edge = await Believer.of(master);
    await beatsUntil(
      master,
      async () => (await feedOf(master)).version >= Math.max(...versions.map((one) => one ?? 0)),
    );
    for (const { id, status, changed_in: changedIn } of rows) {
      t.match(
        await edge.changeOf(id),
        { status, change: Number(changedIn) },
        `${id} at ${master.service.addresses['hop']}`,
      );
    }
  }
});

t.test('ten thousand access keys: pages fill, and those that newer ones say all of go', async (t) => {
  const master = await startMaster(t);
  const operator = await master.operator();
  await runSql(
    master.database,
    `INSERT INTO access_key (id, owner, status, created_at, version, sealed_secret)
     SELECT 'AKIAMANY' || lpad(n::text, 6, '0'), 'many', 'enabled', now(), 1, '\\x01' FROM generate_series(1, 10000) n`,
  );
  const ids = Array.from({ length: 10_000 }, (_, index) => `AKIAMANY${String(index + 1).padStart(6, '0')}`);
  const edge = await Believer.of(master);
  const all = async (kind: 'disable' | 'delete'): Promise<void> => {
    for (let from = 0; from < ids.length; from += 5_000)
      await change(operator, ids.slice(from, from + 5_000), { kind });
  };
  await all('disable');
  t.match(await edge.changeOf(ids[9_999]!), { status: 'disabled' });
  t.equal(edge.state.accessKeys.size, 10_000);
  const countOf = async (): Promise<number> => (await runSql(master.database, 'SELECT 1 FROM access_key_page')).length;
  t.equal(await countOf(), 20);
  const bytes = JSON.stringify(await presentFeed(operator)).length;
  t.ok(bytes < 10_000 * 70, `${bytes} bytes for ten thousand`);
  await all('delete');
  t.match(await edge.changeOf(ids[0]!), { status: 'deleted' });
  t.equal(await countOf(), 20, 'no more pages than before');
  const tooMany = change(operator, ids.slice(0, 5_001), { kind: 'disable' });
  await t.rejects(tooMany, { code: 'malformed-request' });
  const actions = await runSql<{ count: number }>(master.database, 'SELECT count(*)::integer FROM operator_action');
  t.same(actions, [{ count: 20_000 }], 'every one is recorded');
});

t.test('pages are kept as long as keys of before can be accepted, one a day at least', async (t) => {
  const master = await startMaster(t, { env: { KEYD_LONGEST_PRESIGNED: '1h', KEYD_BEACON_EVERY: '60s' } });
  const operator = await master.operator();
  await addAccessKey(operator, ANN);
  await addAccessKey(operator, BEN);
  await change(operator, [ANN], { kind: 'disable' });
  await master.clock.moveTo('2026-11-23T12:00:00.000Z');
  await change(operator, [BEN], { kind: 'disable' });
  const pagesOf = async (): Promise<number> => (await presentFeed(operator)).statements?.length ?? 0;
  t.equal(await pagesOf(), 2);
  // Tomorrow's end, the longest presigned life, and the skew twice.
  await master.clock.moveTo('2026-11-24T01:29:00.000Z');
  t.equal(await pagesOf(), 2);
  await beatsUntil(master, async () => (await pagesOf()) === 1);
  t.match(await runSql(master.database, 'SELECT id, status FROM access_key ORDER BY id'), [
    { id: ANN, status: 'disabled' },
    { id: BEN, status: 'disabled' },
  ]);
});

t.test('a stored page that no pinned key signed is told and not published, and can be made again', async (t) => {
  const master = await startMaster(t);
  const { database, custodyKey, authority } = master;
  const operator = await master.operator();
  await addAccessKey(operator, ANN);
  await change(operator, [ANN], { kind: 'disable' });
  await master.service.close();
  const stranger = new Publisher(await createFeedKeys());
  await stranger.change(master.clock.now(), { accessKeyId: ANN, status: 'enabled', secretVersion: 1 });
  await runSql(database, 'UPDATE access_key_page SET jws = $1', [stranger.pages[0]?.jws]);
  const restarted = await startMaster(t, { database, custodyKey, authority });
  await beatsUntil(restarted, async () => (await feedOf(restarted)).unpublishable === 1);
  t.ok(restarted.logged.some((line) => line.includes('page-refused') && line.includes('ALARM')));
  const edge = await Believer.of(restarted);
  t.equal(await edge.changeOf(ANN), undefined);
  await runSql(database, 'DELETE FROM access_key_page; UPDATE access_key SET changed_in = NULL');
  await beatsUntil(restarted, async () => (await edge.changeOf(ANN))?.status === 'disabled');
  t.equal((await feedOf(restarted)).unpublishable, 0);
});

t.test('nothing that was answered is lost to kill -9 of PostgreSQL', async (t) => {
  const server = await postgresOfItsOwn(t);
  const database = await freshDatabase(t, server);
  const master = await startMaster(t, { database });
  const operator = await master.operator();
  const ids = Array.from({ length: 30 }, (_, index) => `AKIAKILL${index}`);
  for (const id of ids) await addAccessKey(operator, id);
  const acknowledged = new Map<string, number>();
  let failed = 0;
  for (let round = 0; round < 3; round += 1) {
    let killing: Promise<void> | undefined;
    const outcomes = await Promise.allSettled(
      ids.slice(round * 10, round * 10 + 10).map(async (id, index) => {
        const { version = 0 } = await change(operator, [id], { kind: 'disable' });
        acknowledged.set(id, version);
        if (index >= 2) killing ??= server.kill9();
      }),
    );
    await killing;
    failed += outcomes.filter(({ status }) => status === 'rejected').length;
    await server.restart();
  }
  t.ok(acknowledged.size >= 3 && failed > 0, `${acknowledged.size} were acknowledged, ${failed} were not`);
  const { version } = await feedOf(master);
  await beatsUntil(master, async () => (await feedOf(master)).version > version);
  const edge = await Believer.of(master);
  for (const [id, at] of acknowledged) t.match(await edge.changeOf(id), { status: 'disabled', change: at });
  const rows = await runSql<{ id: string; status: string }>(database, 'SELECT id, status FROM access_key');
  for (const { id, status } of rows) {
    t.equal((await edge.changeOf(id))?.status ?? 'enabled', status, `${id}: the feed says what the database says`);
  }
});

t.test('a restored database brings back nothing that was disabled, deleted or rotated since', async (t) => {
  const server = await sharedPostgres();
  const database = await freshDatabase(t);
  const original = await startMaster(t, { database });
  const { custodyKey, authority, clock } = original;
  const names = { gone: 'AKIAGONE', off: 'AKIAOFF', turned: 'AKIATURNED', short: 'AKIASHORT', same: 'AKIASAME' };
  const operator = await original.operator();
  for (const id of Object.values(names)) await addAccessKey(operator, id);
  await change(operator, [names.same], { kind: 'disable' });
  await original.service.close();
  const backup = await freshDatabase(t);
  const nameOf = (url: string): string => new URL(url).pathname.slice(1);
  await runSql(server.connectionString('postgres'), `DROP DATABASE ${nameOf(backup)}`);
  await runSql(server.connectionString('postgres'), `CREATE DATABASE ${nameOf(backup)} TEMPLATE ${nameOf(database)}`);

  const goingOn = await startMaster(t, { database, custodyKey, authority, clock });
  const later = await goingOn.operator();
  await change(later, [names.gone], { kind: 'delete' });
  await change(later, [names.off], { kind: 'disable' });
  await rotate(later, names.turned);
  await change(later, [names.short], { kind: 'expire', expiresAt: '2026-11-22T13:00:00.000Z' });
  await change(later, [names.short], { kind: 'restrict', services: ['s3'] });
  const held = await presentFeed(later);
  const edge = await Believer.of(goingOn);
  await edge.changeOf(names.off);
  await goingOn.service.close();

  const restored = await startMaster(t, { database: backup, custodyKey, authority, clock });
  const now = await restored.operator();
  const { version = 0, at = '' } = edge.state.beacon ?? {};
  const instant = '2026-11-22T12:00:00.000Z';
  const own = { startedAt: instant, version: '0.1.0', heldDays: [], certificateExpiresAt: instant };
  const body = { ...own, edges: [], feed: { version, at, beacon: held.beacon } };
  await (await regionClient(restored)).call({ method: 'POST', path: REPORT_PATH, body, answer: z.undefined() });
  await beatsUntil(restored, async () => (await restored.health('/health/ready')).status === 503);
  await t.rejects(change(now, [names.off], { kind: 'enable' }), { code: 'not-ready' }, 'nothing goes on by itself');

  const given = { statements: held.statements };
  const resumed = await now.call({
    method: 'POST',
    path: RESUME_AFTER_RESTORE_PATH,
    body: given,
    answer: resumedAfterRestore,
  });
  t.match(resumed, { accessKeys: 4, lostSecrets: [names.turned] });
  const rows = await runSql<{ id: string; status: string }>(backup, 'SELECT id, status FROM access_key ORDER BY id');
  t.same(Object.fromEntries(rows.map(({ id, status }) => [id, status])), {
    [names.gone]: 'deleted',
    [names.off]: 'disabled',
    [names.same]: 'disabled',
    [names.short]: 'enabled',
    [names.turned]: 'disabled',
  });
  const after = await Believer.of(restored, edge.state);
  for (const { id, status } of rows) t.match(await after.changeOf(id), { status }, `${id} below`);
  t.match(await after.changeOf(names.short), { services: ['s3'], expiresAt: Date.parse('2026-11-22T13:00:00.000Z') });
  const keys = await restored.region('us-east-1');
  const answer = await keys.issue({ date: day(TODAY), accessKeyIds: Object.values(names) });
  t.same([...answer.issued.keys()], [names.short]);
  const enabling = change(now, [names.turned], { kind: 'enable' });
  await t.rejects(
    enabling,
    { code: 'wrong-state', detail: /does not open.*rotate/ },
    'an old secret does not come back',
  );
  await rotate(now, names.turned);
  await change(now, [names.turned], { kind: 'enable' });
  t.match(await after.changeOf(names.turned), { status: 'enabled' }, 'and what is changed from now on counts below');
});
