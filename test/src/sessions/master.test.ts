import {
  accessKeyPath,
  accessKey,
  ACCESS_KEYS_PATH,
  createdSession,
  LONGEST_SESSION,
  listedAccessKeys,
  rotateAccessKeyPath,
  SESSIONS_PATH,
  SHORTEST_SESSION,
  verifySessionToken,
  type AccessKey,
  type CreatedSession,
  type PeerClient,
} from '@sigv4-keyd/hop-protocol';
import { DatabaseHosts, EndedSessions, openPool } from '@sigv4-keyd/master-keyd';
import { exportKRegion } from '@sigv4-keyd/sigv4-core';
import t from 'tap';
import { z } from 'zod';
import { idsOf, keysOf, regionStreams } from '../day-stream/streaming-peers.js';
import { addAccessKey, beatsUntil, change, regionClient, revoke } from '../master-keyd/feed-clients.js';
import {
  capturedLog,
  independentKRegion,
  sharedFeedKeys,
  startMaster,
  TODAY,
} from '../master-keyd/master-under-test.js';
import { day } from '../support/days.js';
import { runSql } from '../support/postgres.js';

t.setTimeout(120_000);

const PARENT = 'AKIAPARENT';
const HOUR_MS = 3_600_000;

function createSession(operator: PeerClient, more: object = {}): Promise<CreatedSession> {
  const body = { parentAccessKeyId: PARENT, durationSeconds: 3_600, ...more };
  return operator.call({ method: 'POST', path: SESSIONS_PATH, body, answer: createdSession });
}

const show = (operator: PeerClient, id: string): Promise<AccessKey> =>
  operator.call({ method: 'GET', path: accessKeyPath(id), answer: accessKey });

async function listed(operator: PeerClient, query = ''): Promise<readonly string[]> {
  const answer = await operator.call({ method: 'GET', path: `${ACCESS_KEYS_PATH}${query}`, answer: listedAccessKeys });
  return answer.accessKeys.map(({ accessKeyId }) => accessKeyId);
}

t.test('a session is an access key that ends, with a token that says so, on the record', async (t) => {
  const master = await startMaster(t);
  const operator = await master.operator();
  await addAccessKey(operator, PARENT);
  const made = await createSession(operator, { name: 'alice', services: ['sqs', 's3'] });
  const now = master.clock.now();
  t.match(made, {
    accessKeyId: /^ASIA[A-Z2-7]{16}$/,
    secretAccessKey: /^[A-Za-z0-9+/]{40}$/,
    parentAccessKeyId: PARENT,
    sessionName: 'alice',
    owner: 'ann',
    services: ['s3', 'sqs'],
    expiresAt: new Date(now + HOUR_MS).toISOString(),
  });
  const { pinned } = await sharedFeedKeys();
  t.same(await verifySessionToken(made.sessionToken, pinned), {
    accessKeyId: made.accessKeyId,
    parentAccessKeyId: PARENT,
    name: 'alice',
    services: ['s3', 'sqs'],
    createdAt: now,
    expiresAt: now + HOUR_MS,
  });
  const shown = JSON.stringify(await show(operator, made.accessKeyId));
  t.match(JSON.parse(shown), { parentAccessKeyId: PARENT, sessionName: 'alice', status: 'enabled' });
  t.notOk(shown.includes(made.secretAccessKey) || shown.includes(made.sessionToken), 'neither is shown again');
  t.same(await listed(operator), [PARENT], 'lists of access keys have no sessions in them');
  t.same(await listed(operator, `?sessionsOf=${PARENT}`), [made.accessKeyId]);

  const region = await master.region('us-east-1');
  const { issued } = await region.issue({ date: day(TODAY), accessKeyIds: [made.accessKeyId] });
  const { key, facts } = issued.get(made.accessKeyId) ?? (t.fail('no key') as never);
  t.same(exportKRegion(key), independentKRegion(made.secretAccessKey, TODAY, 'us-east-1'));
  t.same(facts, {
    accessKeyId: made.accessKeyId,
    version: 1,
    createdAt: now,
    expiresAt: now + HOUR_MS,
    services: ['s3', 'sqs'],
  });

  const [record] = await runSql(
    master.database,
    `SELECT action, spiffe_id, detail FROM operator_action WHERE access_key_id = '${made.accessKeyId}'`,
  );
  t.match(record, { action: 'create-session', spiffe_id: /operator\/alice$/, detail: { parentAccessKeyId: PARENT } });
  const told = master.logged.join('') + JSON.stringify(record);
  t.notOk(told.includes(made.secretAccessKey) || told.includes(made.sessionToken), 'no log or record has them');
  const denied = createSession(await regionClient(master));
  await t.rejects(denied, { code: 'role-not-allowed' }, 'a region makes none');
});

t.test('a session is never wider or longer than its access key', async (t) => {
  const master = await startMaster(t);
  const operator = await master.operator();
  await addAccessKey(operator, PARENT);
  const wrong: readonly (readonly [code: string, body: object])[] = [
    ['malformed-request', { durationSeconds: SHORTEST_SESSION - 1 }],
    ['malformed-request', { durationSeconds: LONGEST_SESSION + 1 }],
    ['malformed-request', { name: 'a\r\nb' }],
    ['malformed-request', { services: [] }],
    ['malformed-request', { services: Array.from({ length: 90 }, (_, n) => `${'s'.repeat(50)}${n}`) }],
    ['not-found', { parentAccessKeyId: 'AKIANOBODY' }],
  ];
  for (const [code, body] of wrong)
    await t.rejects(createSession(operator, body), { code }, JSON.stringify(body).slice(0, 60));
  const expiresAt = new Date(master.clock.now() + 2 * HOUR_MS).toISOString();
  await change(operator, [PARENT], { kind: 'restrict', regions: ['us-east-1', 'eu-west-1'], services: ['s3'] });
  await change(operator, [PARENT], { kind: 'expire', expiresAt });
  const plain = await createSession(operator, { durationSeconds: LONGEST_SESSION });
  t.match(plain, { expiresAt, regions: ['eu-west-1', 'us-east-1'], services: ['s3'] }, 'as far as the access key goes');
  t.match(await createSession(operator, { regions: ['us-east-1'] }), { regions: ['us-east-1'], services: ['s3'] });
  await t.rejects(createSession(operator, { regions: ['us-east-1', 'eu-south-1'] }), {
    code: 'malformed-request',
    detail: /eu-south-1/,
  });
  await t.rejects(createSession(operator, { services: ['sqs'] }), { code: 'malformed-request', detail: /sqs/ });
  await t.rejects(
    createSession(operator, { parentAccessKeyId: plain.accessKeyId }),
    { code: 'wrong-state' },
    'of a session',
  );

  const id = plain.accessKeyId;
  await t.rejects(change(operator, [id], { kind: 'expire', expiresAt: null }), { code: 'wrong-state' });
  await t.rejects(change(operator, [id], { kind: 'restrict', services: null }), { code: 'wrong-state' });
  const rotation = operator.call({ method: 'POST', path: rotateAccessKeyPath(id), body: {}, answer: z.unknown() });
  await t.rejects(rotation, { code: 'wrong-state' });
  await t.rejects(
    addAccessKey(operator, 'ASIAIMPORTED'),
    { code: 'malformed-request' },
    'nothing is imported as a session',
  );
  t.match(await show(operator, id), { expiresAt, services: ['s3'], version: 1 }, 'nothing was changed');

  await change(operator, [PARENT], { kind: 'disable' });
  await t.rejects(createSession(operator), { code: 'wrong-state', detail: /is disabled/ });
  await change(operator, [PARENT], { kind: 'enable' });
  await master.clock.advance(2 * HOUR_MS);
  await t.rejects(createSession(operator), { code: 'wrong-state', detail: /has expired/ });
});

t.test('keys of a session are issued by what its access key is now', async (t) => {
  const master = await startMaster(t);
  const operator = await master.operator();
  await addAccessKey(operator, PARENT);
  const { accessKeyId: id } = await createSession(operator, { durationSeconds: LONGEST_SESSION });
  const region = await master.region('us-east-1');
  const ask = async (): Promise<unknown> => {
    const { issued, absent } = await region.issue({ date: day(TODAY), accessKeyIds: [id] });
    return absent.get(id) ?? issued.get(id)?.facts;
  };
  t.match(await ask(), { accessKeyId: id });
  await change(operator, [PARENT], { kind: 'disable' });
  t.equal(await ask(), 'disabled');
  await change(operator, [PARENT], { kind: 'enable' });
  await change(operator, [PARENT], { kind: 'restrict', regions: ['eu-west-1'] });
  t.equal(await ask(), 'not-for-scope');
  const expiresAt = master.clock.now() + HOUR_MS;
  await change(operator, [PARENT], { kind: 'restrict', regions: null, services: ['s3'] });
  await change(operator, [PARENT], { kind: 'expire', expiresAt: new Date(expiresAt).toISOString() });
  t.match(await ask(), { services: ['s3'], expiresAt });
  await change(operator, [PARENT], { kind: 'delete' });
  t.equal(await ask(), 'unknown');
});

t.test('a stream of a day has the sessions in it that last into the day', async (t) => {
  const master = await startMaster(t);
  const operator = await master.operator();
  await addAccessKey(operator, PARENT);
  const short = await createSession(operator);
  const long = await createSession(operator, { durationSeconds: LONGEST_SESSION });
  const streams = await regionStreams(t, { ...master, url: `https://${master.service.addresses['hop'] ?? ''}` });
  const streamed = async (date: string) => [...idsOf(await keysOf(streams, { date: day(date), which: 'all' }))].sort();
  t.same(await streamed(TODAY), [PARENT, long.accessKeyId, short.accessKeyId].sort());
  t.same(await streamed('20261123'), [PARENT, long.accessKeyId].sort());
  await change(operator, [PARENT], { kind: 'disable' });
  t.same(await streamed(TODAY), [], 'and none of a disabled access key');
});

t.test('a revocation of the access key reaches the days of its sessions', async (t) => {
  const master = await startMaster(t);
  const operator = await master.operator();
  await addAccessKey(operator, PARENT);
  const { accessKeyId: id } = await createSession(operator, { durationSeconds: LONGEST_SESSION });
  const region = await master.region('us-east-1');
  await region.issue({ date: day('20261123'), accessKeyIds: [id] });
  const { statement, blastRadius } = await revoke(operator, { accessKeyId: PARENT, from: '20261121' });
  t.equal(statement.to, '20261123', 'to the newest day that any of them was given keys of');
  t.match(blastRadius.accessKeys, [{ accessKeyId: id, parentAccessKeyId: PARENT, dates: ['20261123'] }]);
  t.equal(blastRadius.identities.length, 1);
});

t.test('the secret of a session goes when it ends, its row when no acceptance can name it', async (t) => {
  const master = await startMaster(t);
  const operator = await master.operator();
  await addAccessKey(operator, PARENT);
  const short = await createSession(operator);
  const long = await createSession(operator, { durationSeconds: 2 * 3_600 });
  const rows = async (): Promise<readonly object[]> =>
    runSql(
      master.database,
      `SELECT id, status, sealed_secret IS NULL AS wiped FROM access_key WHERE parent_id IS NOT NULL ORDER BY expires_at`,
    );
  const kept = async (): Promise<number> => {
    const all = await rows();
    return all.filter((row) => 'wiped' in row && row.wiped === false).length;
  };
  const [first, second] = [short.accessKeyId, long.accessKeyId];
  await master.clock.advance(HOUR_MS + 60_000);
  await beatsUntil(master, async () => (await kept()) === 1);
  t.same(await rows(), [
    { id: first, status: 'deleted', wiped: true },
    { id: second, status: 'enabled', wiped: false },
  ]);
  const region = await master.region('us-east-1');
  const { absent } = await region.issue({ date: day(TODAY), accessKeyIds: [first, second] });
  t.same([...absent.keys()], [first]);

  const pool = openPool(DatabaseHosts.of(master.database), capturedLog().log);
  t.teardown(() => pool.end());
  const atTheEndOf = (instant: string) =>
    new EndedSessions({ pool, now: () => Date.parse(instant), log: capturedLog().log, keptDays: 9 }).beat();
  await atTheEndOf('2026-12-02T13:00:00Z');
  t.same([(await rows()).length, await kept()], [1, 0], 'the row of the first is no longer needed');
  await atTheEndOf('2026-12-02T14:00:00Z');
  t.same(await rows(), []);
  t.same(await listed(operator), [PARENT], 'and no access key goes with them');
});
