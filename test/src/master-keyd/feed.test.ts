import {
  BANS_PATH,
  errorCodeOf,
  listedBans,
  LIFTS_PATH,
  REGION_KEYS,
  REVOCATIONS_PATH,
} from '@sigv4-keyd/hop-protocol';
import {
  FeedState,
  isRevocation,
  signStatement,
  verifyBeacon,
  verifyStatement,
  type LiftStatement,
} from '@sigv4-keyd/revocation';
import { randomUUID } from 'node:crypto';
import t from 'tap';
import { z } from 'zod';
import { createFeedKeys, liftOf, revocation, RULE } from '../revocation/publisher.js';
import { day } from '../support/days.js';
import { runSql } from '../support/postgres.js';
import {
  addAccessKey,
  ban,
  beatsUntil,
  feed,
  INCIDENT,
  presentFeed,
  regionClient,
  revocations,
  revoke,
  submitLift,
  unban,
} from './feed-clients.js';
import { sharedFeedKeys, startMaster, TODAY } from './master-under-test.js';

const R1 = 'spiffe://keyd.test/region/us-east-1/r1';
const E1 = 'spiffe://keyd.test/edge/us-east-1/s3/e1';

t.test('what was revoked is in the feed when the answer comes', async (t) => {
  const master = await startMaster(t);
  const { pinned } = await sharedFeedKeys();
  const operator = await master.operator();
  const region = await regionClient(master);
  const state = FeedState.empty(pinned, RULE);
  const first = await state.accept(await presentFeed(region), master.clock.now());
  t.match(first, { beacon: { outcome: 'advanced', beacon: { count: 0, banned: [] } }, newStatements: [] });

  const answer = await revoke(operator, { region: 'us-east-1', from: '20261101', to: TODAY });
  t.match(answer, {
    published: true,
    scope: /every access key, in region us-east-1/,
    statement: { region: 'us-east-1', from: '20261101', to: TODAY, author: /operator\/alice$/, ...INCIDENT },
  });
  const { newStatements } = await state.accept(await presentFeed(region), master.clock.now());
  t.same(
    newStatements.map(({ statement }) => statement),
    [answer.statement],
  );

  const actions = await runSql(master.database, 'SELECT action, statement_digest, access_key_id FROM operator_action');
  t.same(actions, [{ action: 'revoke', statement_digest: newStatements[0]?.digest, access_key_id: null }]);
  t.match(await revocations(operator), {
    revocations: [
      { digest: newStatements[0]?.digest, statement: answer.statement, keptUntil: '2026-11-30T00:15:00.000Z' },
    ],
  });
  for (const table of ['revocation_statement', 'identity_ban_event']) {
    for (const change of [`DELETE FROM ${table}`, `UPDATE ${table} SET at = now()`, `TRUNCATE ${table} CASCADE`]) {
      const text = table === 'revocation_statement' ? change.replace('SET at', 'SET signed_at') : change;
      await t.rejects(runSql(master.database, text), /append-only/, text);
    }
  }
});

t.test('a long poll is answered as soon as there is news, whichever master made it', async (t) => {
  const master = await startMaster(t);
  const { database, custodyKey, authority, clock } = master;
  const other = await startMaster(t, { database, custodyKey, authority, clock, name: 'm2' });
  const { pinned } = await sharedFeedKeys();
  const region = await regionClient(other);
  const held = await verifyBeacon((await presentFeed(region)).beacon, pinned);
  const set = `&set=${held.beacon.setHash}`;
  const news = feed(region, `?version=${held.beacon.version}&wait=20${set}`);
  await revoke(await master.operator(), { from: TODAY, to: TODAY });
  // The clock stands: no beat brings this.
  const document = await news;
  t.equal(document?.statements?.length, 1);
  const now = await verifyBeacon(document?.beacon ?? '', pinned);
  t.ok(now.beacon.version > held.beacon.version);
  const same = await feed(region, `?set=${now.beacon.setHash}`);
  t.same(Object.keys(same ?? {}), ['beacon'], 'who names the present set is spared the statements');
  for (const query of ['?wait=26', '?wait=-1', '?version=x', '?version=-1', '?set=abc', '?more=1']) {
    await t.rejects(feed(region, query), { code: 'malformed-request' }, query);
  }
});

t.test('what the database does not commit is neither answered nor served', async (t) => {
  const master = await startMaster(t);
  const operator = await master.operator();
  const before = await presentFeed(operator);
  await runSql(
    master.database,
    `CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the disk is full'; END $$;
     CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON revocation_statement DEFERRABLE INITIALLY DEFERRED
       FOR EACH ROW EXECUTE FUNCTION fail()`,
  );
  await t.rejects(revoke(operator, { from: TODAY, to: TODAY }), { code: 'internal-error' });
  t.same(await presentFeed(operator), before);
  await runSql(master.database, 'DROP TRIGGER at_commit ON revocation_statement');
  await revoke(operator, { from: TODAY, to: TODAY });
  t.equal((await presentFeed(operator)).statements?.length, 1, 'and goes on after that');
});

t.test('a dry run says what a revocation would hit and changes nothing', async (t) => {
  const master = await startMaster(t);
  const operator = await master.operator();
  for (const id of ['AKIAONE', 'AKIATWO']) await addAccessKey(operator, id);
  const region = await master.region('us-east-1');
  await region.issue({ date: day('20261120'), accessKeyIds: ['AKIAONE'] });
  await region.issue({ date: day('20261123'), accessKeyIds: ['AKIAONE', 'AKIATWO'] });
  await (await master.region('eu-west-1')).issue({ date: day(TODAY), accessKeyIds: ['AKIATWO'] });
  // Its keys of today can be asked for as soon as somebody likes.
  await (await master.region('us-west-2')).issue({ date: day('20261121'), accessKeyIds: ['AKIATWO'] });

  const before = await presentFeed(operator);
  const dry = await revoke(operator, { region: 'us-east-1', from: '20261121', dryRun: true });
  t.match(dry, { published: false, statement: { from: '20261121', to: '20261123' } }, 'to the newest day issued');
  t.same(dry.blastRadius.accessKeys, [
    { accessKeyId: 'AKIAONE', owner: 'ann', dates: ['20261123'] },
    { accessKeyId: 'AKIATWO', owner: 'ann', dates: ['20261123'] },
  ]);
  t.equal(dry.blastRadius.accessKeyCount, 2);
  t.match(dry.blastRadius.identities, [{ spiffeId: R1, dates: ['20261123'] }]);
  const sentences = dry.blastRadius.remainsGood.join('\n');
  t.match(sentences, /last day is 2026-11-23: no key of a later one[^]*other than us-east-1[^]*ew access key/);
  t.same(await presentFeed(operator), before, 'nothing was published');
  t.same(await runSql(master.database, 'SELECT 1 FROM revocation_statement'), []);
  t.same(await revocations(operator), { revocations: [] });

  const lastDays: readonly (readonly [object, string])[] = [
    [{ region: 'eu-west-1', from: '20261101' }, TODAY],
    [{ from: '20261101' }, '20261123'],
    [{ accessKeyId: 'AKIATWO', region: 'eu-west-1', from: '20261101' }, TODAY],
    [{ region: 'ap-south-1', from: '20261101' }, TODAY],
    [{ region: 'us-west-2', from: '20261101' }, TODAY],
    [{ region: 'eu-west-1', from: '20261201' }, '20261201'],
    [{ region: 'us-east-1', from: '20261101', to: '20261102' }, '20261102'],
  ];
  for (const [scope, to] of lastDays) {
    const { statement } = await revoke(operator, { ...scope, dryRun: true });
    t.equal(statement.to, to, JSON.stringify(scope));
  }
  const nobody = await revoke(operator, { region: 'us-eats-1', from: TODAY, dryRun: true });
  t.match(nobody.blastRadius.remainsGood[0], /check that it is spelt/);
});

t.test('hostile and mistaken requests are refused and leave no trace', async (t) => {
  const master = await startMaster(t);
  const operator = await master.operator();
  const region = await regionClient(master);
  const before = await presentFeed(operator);
  const long = `spiffe://keyd.test/region/r/${'n'.repeat(2_100)}`;
  const refused: readonly (readonly [string, string, unknown, string])[] = [
    ['no first day', REVOCATIONS_PATH, INCIDENT, 'malformed-request'],
    ['days the wrong way round', REVOCATIONS_PATH, { ...INCIDENT, from: TODAY, to: '20261121' }, 'malformed-request'],
    ['a day that is none', REVOCATIONS_PATH, { ...INCIDENT, from: '20261131' }, 'malformed-request'],
    ['no reason', REVOCATIONS_PATH, { incident: 'INC-7', from: TODAY }, 'malformed-request'],
    ['a reason of two lines', REVOCATIONS_PATH, { ...INCIDENT, reason: 'a\nb', from: TODAY }, 'malformed-request'],
    ['an incident with a slash', REVOCATIONS_PATH, { ...INCIDENT, incident: 'a/b', from: TODAY }, 'malformed-request'],
    ['an author of its own', REVOCATIONS_PATH, { ...INCIDENT, from: TODAY, author: E1 }, 'malformed-request'],
    ['an unknown access key', REVOCATIONS_PATH, { ...INCIDENT, from: TODAY, accessKeyId: 'AKIANONE' }, 'not-found'],
    ['no document', REVOCATIONS_PATH, [], 'malformed-request'],
    ['a lift that is none', LIFTS_PATH, { jws: 'x' }, 'malformed-request'],
    ['a lift too large', LIFTS_PATH, { jws: 'x'.repeat(8_193) }, 'malformed-request'],
    [
      'a ban of an operator',
      BANS_PATH,
      { spiffeId: 'spiffe://keyd.test/operator/al', reason: 'x' },
      'malformed-request',
    ],
    ['a ban of a master', BANS_PATH, { spiffeId: 'spiffe://keyd.test/master/m1', reason: 'x' }, 'malformed-request'],
    ['a ban elsewhere', BANS_PATH, { spiffeId: 'spiffe://other.test/region/r/n', reason: 'x' }, 'malformed-request'],
    ['a ban of a part', BANS_PATH, { spiffeId: 'spiffe://keyd.test/region/r', reason: 'x' }, 'malformed-request'],
    ['a ban of no name', BANS_PATH, { spiffeId: long, reason: 'x' }, 'malformed-request'],
    ['a ban without a reason', BANS_PATH, { spiffeId: R1 }, 'malformed-request'],
    ['resuming without a need', '/v1/feed/resume-after-restore', {}, 'wrong-state'],
  ];
  for (const [name, path, body, code] of refused) {
    await t.rejects(operator.call({ method: 'POST', path, body, answer: z.unknown() }), { code }, name);
    if (path !== '/v1/feed/resume-after-restore') {
      const asRegion = region.call({ method: 'POST', path, body, answer: z.unknown() });
      await t.rejects(asRegion, { code: 'role-not-allowed' }, `${name}: not for regions at all`);
    }
  }
  await t.rejects(unban(operator, R1), { code: 'not-found' });
  t.same(await presentFeed(operator), before);
  for (const table of ['revocation_statement', 'identity_ban_event', 'operator_action']) {
    t.same(await runSql(master.database, `SELECT 1 FROM ${table}`), [], `${table} is empty`);
  }
});

t.test('a lift is taken when the root key signed it, for one statement, once', async (t) => {
  const master = await startMaster(t);
  const keys = await sharedFeedKeys();
  const operator = await master.operator();
  await revoke(operator, { region: 'us-east-1', from: '20261101', to: TODAY });
  await revoke(operator, { region: 'eu-west-1', from: '20261101', to: TODAY });
  const state = FeedState.empty(keys.pinned, RULE);
  const { newStatements } = await state.accept(await presentFeed(operator), master.clock.now());
  const [american, european] = newStatements.filter(isRevocation);
  if (!american || !european) throw new Error('not both were published');
  const lift = (changes: Partial<LiftStatement> = {}, key = keys.root): Promise<string> =>
    signStatement(liftOf(american, changes), key);

  const strangers = await createFeedKeys();
  const unpublished = await verifyStatement(await signStatement(revocation(), keys.revocation), keys.pinned);
  const genuine = await lift();
  const edited = genuine.split('.').with(1, Buffer.from('{}').toString('base64url')).join('.');
  const refused: readonly (readonly [string, string, string, RegExp])[] = [
    ['of a root key that is not pinned', await lift({}, strangers.root), 'malformed-request', /unknown-key/],
    ['edited', edited, 'malformed-request', /bad-signature/],
    ['a revocation in its place', american.jws, 'malformed-request', /revocation/],
    ['of an unknown statement', await lift({ lifts: unpublished.digest }), 'not-found', /no statement/],
    ['with an earlier last day', await lift({ to: day('20261121') }), 'malformed-request', /last day must be 20261122/],
  ];
  for (const [name, jws, code, detail] of refused) {
    await t.rejects(submitLift(operator, jws), { code, detail }, name);
  }
  t.match(await submitLift(operator, genuine), { scope: /us-east-1/, lift: { lifts: american.digest } });
  await state.accept(await presentFeed(operator), master.clock.now());
  t.ok(state.revocations.isLifted(american.digest), 'published when the answer came');
  t.notOk(state.revocations.isLifted(european.digest));
  await t.rejects(submitLift(operator, genuine), { code: 'already-exists' });
  await t.rejects(submitLift(operator, await lift({ id: randomUUID() })), { code: 'already-exists' });
  const lifted = (await revocations(operator)).revocations.filter(({ liftedBy }) => liftedBy !== undefined);
  t.same(
    lifted.map(({ digest }) => digest),
    [american.digest],
  );
});

t.test('a master that has not heard of a ban yet issues nothing all the same', async (t) => {
  const master = await startMaster(t);
  await addAccessKey(await master.operator(), 'AKIAONE');
  const region = await master.region('us-east-1');
  const request = { date: day(TODAY), accessKeyIds: ['AKIAONE'] };
  await region.issue(request);
  const setBan = (step: number, action: string, reason: string | null): Promise<unknown> =>
    runSql(master.database, "INSERT INTO identity_ban_event VALUES ($1, $2, $3, $4, 'another master', now())", [
      R1,
      step,
      action,
      reason,
    ]);
  await setBan(0, 'ban', 'broken into');
  await t.rejects(region.issue(request), { code: 'identity-banned' });
  await setBan(1, 'unban', null);
  await region.issue(request);
  const issued = await runSql(master.database, 'SELECT 1 FROM issuance');
  t.equal(issued.length, 2, 'and records nothing');
});

t.test('a ban ends live connections and refuses new requests, at every master, until it ends', async (t) => {
  const master = await startMaster(t);
  const { database, custodyKey, authority, clock } = master;
  const other = await startMaster(t, { database, custodyKey, authority, clock, name: 'm2' });
  const { pinned } = await sharedFeedKeys();
  const operator = await master.operator();
  await addAccessKey(operator, 'AKIAONE');
  const ask = { method: 'POST', path: REGION_KEYS.path, body: { date: TODAY, accessKeyIds: ['AKIAONE'] } } as const;
  const issue = (client: Awaited<ReturnType<typeof regionClient>>): Promise<unknown> =>
    client.call({ ...ask, answer: z.unknown() });
  const [here, there, neighbour] = [
    await regionClient(master),
    await regionClient(other),
    await regionClient(master, 'us-east-1', 'r2'),
  ];
  for (const client of [here, there, neighbour]) await issue(client);

  const { version } = (await verifyBeacon((await presentFeed(here)).beacon, pinned)).beacon;
  const waiting = feed(here, `?version=${version + 1_000}&wait=20`).then(
    () => 'answered',
    () => 'cut off',
  );
  // Its connection is known once something was answered on it; one more request makes a second one.
  await issue(here);
  t.match(await ban(operator, R1), { spiffeId: R1, reason: 'broken into', by: /operator\/alice$/ });
  t.equal(await waiting, 'cut off', 'a request under way is not answered');
  await t.rejects(issue(here), { code: 'identity-banned' });
  // The other master may be about to end that connection.
  const refusals = await Promise.all([1, 2, 3].map(() => issue(there).catch((error: unknown) => errorCodeOf(error))));
  t.ok(
    refusals.every((code) => code === 'identity-banned' || code === 'parent-unavailable'),
    `at the other master, too, without a beat (${refusals.join()})`,
  );
  await t.rejects(feed(here), { code: 'identity-banned' });
  await issue(neighbour);
  t.pass('its neighbour goes on');
  const { beacon } = await verifyBeacon((await presentFeed(operator)).beacon, pinned);
  t.same(beacon.banned, [R1]);
  await t.rejects(ban(operator, R1), { code: 'already-exists' });
  await ban(operator, E1);
  const list = (): Promise<z.infer<typeof listedBans>> =>
    operator.call({ method: 'GET', path: BANS_PATH, answer: listedBans });
  t.same(
    (await list()).bans.map(({ spiffeId }) => spiffeId),
    [E1, R1],
  );

  t.match(await unban(operator, R1), { spiffeId: R1, reason: 'broken into' });
  await issue(here);
  let isBack = false;
  await beatsUntil(other, async () => {
    await issue(there).then(
      () => (isBack = true),
      () => undefined,
    );
    return isBack;
  });
  t.same(
    (await list()).bans.map(({ spiffeId }) => spiffeId),
    [E1],
  );
  await ban(operator, R1);
  await t.rejects(issue(here), { code: 'identity-banned' }, 'and again');
  const actions = await runSql<{ action: string; identity: string }>(
    database,
    'SELECT action, identity FROM operator_action WHERE identity IS NOT NULL ORDER BY at, action, identity',
  );
  t.same(actions.map(({ action, identity }) => `${action} ${identity}`).sort(), [
    `ban ${E1}`,
    `ban ${R1}`,
    `ban ${R1}`,
    `unban ${R1}`,
  ]);
});
