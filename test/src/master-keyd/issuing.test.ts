import {
  ACCESS_KEY_IMPORT_PATH,
  ACCESS_KEYS_PATH,
  createdAccessKey,
  KeydError,
  MOST_KEYS_A_REQUEST,
  REGION_KEYS,
  REPORT_PATH,
  STATUS_PATH,
  statusAnswer,
  type KeyAnswer,
  type RegionKeySource,
} from '@sigv4-keyd/hop-protocol';
import { fileCustody, regionKeysFor, TIDY_EVERY_MS, type Custody } from '@sigv4-keyd/master-keyd';
import { addDays, exportKRegion, type KRegion } from '@sigv4-keyd/sigv4-core';
import { createSecretKey, randomBytes } from 'node:crypto';
import t, { type Test } from 'tap';
import { z } from 'zod';
import { spellings } from '../support/spellings.js';
import { TRUST_DOMAIN } from '../support/certificates.js';
import { day } from '../support/days.js';
import { askedAsEarlier } from '../support/earlier-release.js';
import { freshDatabase, runSql } from '../support/postgres.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { change } from './feed-clients.js';
import { hmac, independentKRegion, NOON, startMaster, TODAY, type MasterUnderTest } from './master-under-test.js';
import { issuedDirectly } from './issued-directly.js';

const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';

async function withAccessKey(t: Test, restrictions: object = {}): Promise<MasterUnderTest> {
  const master = await startMaster(t);
  await addAccessKey(master, 'AKIAONE', restrictions);
  return master;
}

async function addAccessKey(master: MasterUnderTest, accessKeyId: string, restrictions: object = {}): Promise<void> {
  const body = { owner: 'ann', accessKeyId, secretAccessKey: SECRET, ...restrictions };
  const operator = await master.operator();
  await operator.call({ method: 'POST', path: ACCESS_KEY_IMPORT_PATH, body, answer: z.any() });
}

const bytesOf = (answer: KeyAnswer<KRegion>, id = 'AKIAONE'): Buffer | undefined => {
  const issued = answer.issued.get(id);
  return issued && exportKRegion(issued.key);
};

t.test('a region gets kRegion of its own region, as an independent derivation says', async (t) => {
  const { region, operator, received, logged, authority, clientOf } = await withAccessKey(t);
  const made = await (
    await operator()
  ).call({ method: 'POST', path: ACCESS_KEYS_PATH, body: { owner: 'bob' }, answer: createdAccessKey });
  const creations = received.length;
  for (const name of ['us-east-1', 'eu-west-1']) {
    const answer = await (
      await region(name)
    ).issue({ date: day(TODAY), accessKeyIds: ['AKIAONE', made.accessKeyId, 'AKIANONE'] });
    t.same(bytesOf(answer), independentKRegion(SECRET, TODAY, name));
    t.same(bytesOf(answer, made.accessKeyId), independentKRegion(made.secretAccessKey, TODAY, name));
    t.same([...answer.absent], [['AKIANONE', 'unknown']]);
    t.same(answer.issued.get('AKIAONE')?.facts, { accessKeyId: 'AKIAONE', version: 1, createdAt: Date.parse(NOON) });
  }

  // Asked in the clear, as by earlier releases: what it is sealed to others shows nothing.
  const europeans = clientOf(await authority.credentials({ role: 'region', region: 'eu-west-1', name: 'r1' }));
  const clear = askedAsEarlier(REGION_KEYS, { region: 'eu-west-1' }, europeans);
  const asked = await clear.issue({ date: day(TODAY), accessKeyIds: ['AKIAONE', made.accessKeyId] });
  t.same(bytesOf(asked), independentKRegion(SECRET, TODAY, 'eu-west-1'));

  const answers = Buffer.concat(received.slice(creations));
  const log = Buffer.from(logged.join(''));
  const europe = independentKRegion(SECRET, TODAY, 'eu-west-1');
  t.ok(answers.includes(europe.toString('base64')), 'the answers were captured');
  t.ok(log.includes('region-keys-issued'), 'the log was captured');
  for (const secret of [SECRET, made.secretAccessKey]) {
    for (const higher of [Buffer.from(secret), Buffer.from(`AWS4${secret}`), hmac(`AWS4${secret}`, TODAY)]) {
      for (const spelling of spellings(higher)) t.notOk(answers.includes(spelling), 'no secret or kDate in an answer');
      for (const spelling of spellings(higher)) t.notOk(log.includes(spelling), 'no secret or kDate in the log');
    }
    for (const spelling of spellings(independentKRegion(secret, TODAY, 'eu-west-1'))) {
      t.notOk(log.includes(spelling), 'no kRegion in the log');
    }
  }
});

t.test('the certificate is the scope', async (t) => {
  const master = await withAccessKey(t);
  const { clientOf, authority, database } = master;
  const body = { date: TODAY, accessKeyIds: ['AKIAONE'] };
  const region = clientOf(await authority.credentials({ role: 'region', region: 'us-east-1', name: 'r1' }));
  for (const extra of [{ region: 'eu-west-1' }, { region: 'us-east-1' }, { service: 's3' }, { role: 'master' }]) {
    const call = { method: 'POST', path: REGION_KEYS.path, body: { ...body, ...extra }, answer: z.any() } as const;
    await t.rejects(region.call(call), { code: 'malformed-request' }, `a body with ${JSON.stringify(extra)}`);
  }
  for (const identity of [
    { role: 'edge', region: 'us-east-1', service: 's3', name: 'e1' },
    { role: 'operator', name: 'alice' },
    { role: 'master', name: 'm2' },
  ] as const) {
    const other = clientOf(await authority.credentials(identity));
    for (const path of [REGION_KEYS.path, REPORT_PATH]) {
      const call = { method: 'POST', path, body, answer: z.any() } as const;
      await t.rejects(other.call(call), { code: 'role-not-allowed', statusCode: 403 }, `${identity.role}: ${path}`);
    }
  }
  t.same(await runSql(database, 'SELECT * FROM issuance'), []);
  const malformed: readonly object[] = [
    { ...body, date: '20260230' },
    { ...body, date: '2026-11-22' },
    { ...body, accessKeyIds: [] },
    { ...body, accessKeyIds: ['AKIAONE', 'AKIAONE'] },
    { ...body, accessKeyIds: ["'; DROP TABLE access_key; --"] },
    { ...body, accessKeyIds: Array.from({ length: MOST_KEYS_A_REQUEST + 1 }, (_, i) => `AKIA${i}`) },
  ];
  for (const wrong of malformed) {
    const call = { method: 'POST', path: REGION_KEYS.path, body: wrong, answer: z.any() } as const;
    await t.rejects(region.call(call), { code: 'malformed-request' }, JSON.stringify(wrong).slice(0, 70));
  }
});

t.test('the window of days has two ends', async (t) => {
  const clock = new VirtualClock('2026-11-22T11:59:59.999Z');
  const master = await startMaster(t, { clock });
  await addAccessKey(master, 'AKIAONE');
  const region = await master.region('us-east-1');
  const isIssued = (date: string): Promise<boolean> =>
    region.issue({ date: day(date), accessKeyIds: ['AKIAONE'] }).then(
      () => true,
      (error: unknown) => {
        if (error instanceof KeydError && error.code === 'date-outside-window') return false;
        throw error;
      },
    );
  const windowNow = async (): Promise<readonly string[]> => {
    const dates = Array.from({ length: 14 }, (_, n) => addDays(day('20261112'), n));
    const issued: string[] = [];
    for (const date of dates) if (await isIssued(date)) issued.push(date);
    return [issued[0] ?? '', issued.at(-1) ?? '', String(issued.length)];
  };
  t.same(await windowNow(), ['20261115', '20261122', '8'], 'before noon: today and the presign days');
  await clock.moveTo('2026-11-22T12:00:00Z');
  t.same(await windowNow(), ['20261115', '20261123', '9'], 'from noon on: tomorrow, too');
  await clock.moveTo('2026-11-23T00:00:00Z');
  t.same(await windowNow(), ['20261115', '20261123', '9'], 'the oldest day lives on for the clock skew');
  await clock.moveTo('2026-11-23T00:15:00Z');
  t.same(await windowNow(), ['20261116', '20261123', '8'], 'and then goes');
  for (const date of ['20000101', '99991231']) t.notOk(await isIssued(date), date);
});

t.test('absences and their order', async (t) => {
  const master = await startMaster(t);
  const { clock } = master;
  const soon = '2026-11-22T12:01:00Z';
  await addAccessKey(master, 'AKIAPLAIN');
  await addAccessKey(master, 'AKIASOON', { expiresAt: soon, services: ['s3'] });
  await addAccessKey(master, 'AKIAEUROPE', { regions: ['eu-west-1', 'eu-central-1'] });
  await addAccessKey(master, 'AKIAOFF');
  const operator = await master.operator();
  await change(operator, ['AKIAOFF'], { kind: 'disable' });
  const ask = async (region: string): Promise<KeyAnswer<KRegion>> => {
    const accessKeyIds = ['AKIAOFF', 'AKIASOON', 'AKIAPLAIN', 'AKIAGONE', 'AKIAEUROPE'];
    return (await master.region(region)).issue({ date: day(TODAY), accessKeyIds });
  };
  const here = await ask('us-east-1');
  t.same([...here.issued.keys()], ['AKIASOON', 'AKIAPLAIN']);
  t.same(here.issued.get('AKIASOON')?.facts, {
    accessKeyId: 'AKIASOON',
    version: 1,
    createdAt: Date.parse(NOON),
    expiresAt: Date.parse(soon),
    services: ['s3'],
  });
  t.same([...here.absent].sort(), [
    ['AKIAEUROPE', 'not-for-scope'],
    ['AKIAGONE', 'unknown'],
    ['AKIAOFF', 'disabled'],
  ]);
  t.ok((await ask('eu-west-1')).issued.has('AKIAEUROPE'));
  await clock.moveTo(soon);
  t.equal((await ask('us-east-1')).absent.get('AKIASOON'), 'expired', 'at the very instant');
});

t.test('an issuance is recorded before it is released', async (t) => {
  const master = await withAccessKey(t);
  const { database, clock } = master;
  const region = await master.region('us-east-1', 'r7');
  await clock.advance(1_234);
  await region.issue({ date: day('20261121'), accessKeyIds: ['AKIANONE', 'AKIAONE'] });
  await t.rejects(region.issue({ date: day('20260101'), accessKeyIds: ['AKIAONE'] }), { code: 'date-outside-window' });
  await region.issue({ date: day(TODAY), accessKeyIds: ['AKIANONE'] });
  const records = await runSql(database, 'SELECT * FROM issuance');
  t.equal(records.length, 1, 'an answer without a key leaves no record');
  t.match(records[0], {
    issued_at: new Date(Date.parse(NOON) + 1_234),
    peer: `spiffe://${TRUST_DOMAIN}/region/us-east-1/r7`,
    region: 'us-east-1',
    scope_date: '20261121',
    access_key_ids: ['AKIAONE'],
    issuer: `spiffe://${TRUST_DOMAIN}/master/m1`,
    request_id: /^[0-9a-f-]{36}$/,
  });
  await t.rejects(runSql(database, 'DELETE FROM issuance'), /append-only/);
  await t.rejects(runSql(database, "UPDATE issuance SET record = ''"), /append-only/);
  await t.rejects(runSql(database, 'TRUNCATE issuance CASCADE'), /append-only/);

  const released = master.received.length;
  const refuse = (when: string): Promise<unknown> =>
    runSql(
      database,
      `CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END $$;
       ${when}`,
    );
  await refuse('CREATE TRIGGER full_disk BEFORE INSERT ON issuance FOR EACH ROW EXECUTE FUNCTION full_disk()');
  const request = { date: day(TODAY), accessKeyIds: ['AKIAONE'] };
  await t.rejects(region.issue(request), { code: 'database-unavailable' }, 'the insert fails');
  await runSql(database, 'DROP TRIGGER full_disk ON issuance; DROP FUNCTION full_disk');
  await refuse(
    `CREATE CONSTRAINT TRIGGER full_disk AFTER INSERT ON issuance
       DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION full_disk()`,
  );
  await t.rejects(region.issue(request), { code: 'database-unavailable' }, 'the commit fails');
  const answers = Buffer.concat(master.received.slice(released));
  t.ok(answers.includes('database-unavailable'), 'the answers were captured');
  for (const spelling of spellings(independentKRegion(SECRET, TODAY, 'us-east-1'))) t.notOk(answers.includes(spelling));
  t.equal((await runSql(database, 'SELECT 1 FROM issuance')).length, 1);
  await runSql(database, 'DROP TRIGGER full_disk ON issuance');
  t.equal((await region.issue(request)).issued.size, 1, 'and all is well when records are taken again');
});

t.test('five thousand access keys at once, without holding up everyone else', async (t) => {
  const master = await startMaster(t);
  const ids = Array.from({ length: MOST_KEYS_A_REQUEST }, (_, n) => `AKIA${String(n).padStart(5, '0')}`);
  const real = fileCustody(createSecretKey(master.custodyKey));
  const sealed = ids.map((accessKeyId) => real.seal({ accessKeyId, version: 1 }, `secret-of-${accessKeyId}`));
  await runSql(
    master.database,
    `INSERT INTO access_key (id, owner, status, created_at, version, sealed_secret)
     SELECT id, 'ann', 'enabled', now(), 1, sealed FROM unnest($1::text[], $2::bytea[]) AS made (id, sealed)`,
    [ids, sealed],
  );
  const answer = await (await master.region('us-east-1')).issue({ date: day(TODAY), accessKeyIds: ids });
  t.equal(answer.issued.size, MOST_KEYS_A_REQUEST);
  const differing = ids.filter(
    (id) => !bytesOf(answer, id)?.equals(independentKRegion(`secret-of-${id}`, TODAY, 'us-east-1')),
  );
  t.same(differing, []);
  t.same(await runSql(master.database, 'SELECT cardinality(access_key_ids) AS many FROM issuance'), [{ many: 5_000 }]);

  // Between two slices other work has its turn: counted in turns, not in time.
  let turns = 0;
  let turnsBefore: number | undefined;
  let longest = 0;
  let slice = 0;
  const counting: Custody = {
    seal: (name, secret) => real.seal(name, secret),
    kDate(secret, date) {
      slice = turnsBefore === turns ? slice + 1 : 1;
      turnsBefore = turns;
      longest = Math.max(longest, slice);
      return real.kDate(secret, date);
    },
    ecdsaPublicKey: (secret) => real.ecdsaPublicKey(secret),
  };
  let isDone = false;
  const turn = (): void => {
    turns += 1;
    if (!isDone) setImmediate(turn);
  };
  turn();
  await issueDirectly(t, master, counting).issue({ date: day(TODAY), accessKeyIds: ids });
  isDone = true;
  t.ok(longest > 0 && longest <= 400, `at most some hundreds in one turn (${longest})`);
});

function issueDirectly(t: Test, master: MasterUnderTest, custody: Custody): RegionKeySource {
  return regionKeysFor(...issuedDirectly(t, master, custody));
}

t.test('a custody that cannot serve fails the request as a whole, unrecorded', async (t) => {
  const master = await withAccessKey(t);
  const broken: Custody = {
    seal: () => Promise.reject(new KeydError('custody-unavailable')),
    kDate: () => Promise.reject(new KeydError('custody-unavailable', { cause: new Error('the token was removed') })),
    ecdsaPublicKey: () => Promise.reject(new KeydError('custody-unavailable')),
  };
  const source = issueDirectly(t, master, broken);
  await t.rejects(source.issue({ date: day(TODAY), accessKeyIds: ['AKIAONE'] }), { code: 'custody-unavailable' });
  t.same(await runSql(master.database, 'SELECT * FROM issuance'), []);
});

t.test('two replicas on one database are one master', async (t) => {
  const custodyKey = randomBytes(32);
  const database = await freshDatabase(t);
  const clock = new VirtualClock(NOON);
  const one = await startMaster(t, { database, custodyKey, clock });
  const two = await startMaster(t, { database, custodyKey, clock, authority: one.authority, name: 'm2' });
  await addAccessKey(one, 'AKIAONE');
  const request = { date: day(TODAY), accessKeyIds: ['AKIAONE'] };
  t.same(
    bytesOf(await (await two.region('us-east-1')).issue(request)),
    bytesOf(await (await one.region('us-east-1')).issue(request)),
  );
  const operator = await two.operator();
  await change(operator, ['AKIAONE'], { kind: 'disable' });
  t.equal((await (await one.region('us-east-1')).issue(request)).absent.get('AKIAONE'), 'disabled');
  const masters = await runSql<{ issuer: string }>(database, 'SELECT issuer FROM issuance ORDER BY issuer');
  t.same(
    masters.map(({ issuer }) => issuer),
    [1, 2].map((n) => `spiffe://${TRUST_DOMAIN}/master/m${n}`),
  );
  const status = await operator.call({ method: 'GET', path: STATUS_PATH, answer: statusAnswer });
  t.same(
    status.masters.map(({ spiffeId }) => spiffeId),
    [1, 2].map((n) => `spiffe://${TRUST_DOMAIN}/master/m${n}`),
  );
});

t.test('status tells who was given what, who reported, and for how long nobody has', async (t) => {
  const master = await withAccessKey(t);
  const { clock, clientOf, authority, operator } = master;
  await addAccessKey(master, 'AKIATWO');
  const ask = await operator();
  const status = (): Promise<z.infer<typeof statusAnswer>> =>
    ask.call({ method: 'GET', path: STATUS_PATH, answer: statusAnswer });
  t.match(await status(), { at: '2026-11-22T12:00:00.000Z', accessKeys: { enabled: 2, disabled: 0 }, regions: [] });

  const west = await master.region('us-west-2');
  await west.issue({ date: day(TODAY), accessKeyIds: ['AKIAONE'] });
  await clock.advance(1_000);
  await west.issue({ date: day(TODAY), accessKeyIds: ['AKIAONE', 'AKIATWO'] });
  await west.issue({ date: day('20261120'), accessKeyIds: ['AKIATWO'] });
  const region = clientOf(await authority.credentials({ role: 'region', region: 'us-east-1', name: 'r1' }));
  const at = '2026-11-22T12:00:00.000Z';
  const certificateExpiresAt = '2026-12-01T00:00:00.000Z';
  const own = { startedAt: at, version: '0.1.0', heldDays: [], certificateExpiresAt, parents: [] };
  const window = { longestPresignedSeconds: 604_800, clockSkewSeconds: 901 };
  const spiffeId = `spiffe://${TRUST_DOMAIN}/edge/us-east-1/s3/e1`;
  const edge = { spiffeId, heardAt: at, report: { ...own, window } };
  const report = (body: object): Promise<unknown> =>
    region.call({ method: 'POST', path: REPORT_PATH, body, answer: z.undefined() });
  await report({ ...own, edges: [edge] });
  await clock.advance(3_600_000);

  const { regions, warnings } = await status();
  t.match(warnings, [
    /edge\/us-east-1\/s3\/e1: .*604800s \+ 901s = 605701s.* 605700s only; set KEYD_LONGEST_PRESIGNED/,
  ]);
  t.same(
    regions.map(({ spiffeId }) => spiffeId),
    ['us-east-1/r1', 'us-west-2/r1'].map((name) => `spiffe://${TRUST_DOMAIN}/region/${name}`),
  );
  t.same(regions[0], {
    spiffeId: `spiffe://${TRUST_DOMAIN}/region/us-east-1/r1`,
    region: 'us-east-1',
    heardAt: '2026-11-22T12:00:01.000Z',
    report: own,
    issued: [],
    edges: [edge],
  });
  t.same(regions[1]?.issued, [
    { date: '20261120', accessKeys: 1, lastIssuedAt: '2026-11-22T12:00:01.000Z' },
    { date: TODAY, accessKeys: 2, lastIssuedAt: '2026-11-22T12:00:01.000Z' },
  ]);
  await clock.advance(30 * 86_400_000);
  t.match((await status()).regions[1], { region: 'us-west-2', issued: [] }, 'once given a key, a region stays listed');

  const strangers = ['edge/eu-west-1/s3/e1', 'region/us-east-1/r2', 'master/m1', 'operator/alice', 'edge/us-east-1/s3'];
  for (const spiffeId of [...strangers.map((path) => `spiffe://${TRUST_DOMAIN}/${path}`), 'spiffe://other/edge', '']) {
    const body = { ...own, edges: [edge, { ...edge, spiffeId }] };
    await t.rejects(report(body), { code: 'malformed-request', detail: /no edge of .*us-east-1/ }, spiffeId);
  }
  const other = { ...edge, spiffeId: 'spiffe://other.test/edge/us-east-1/s3/e1' };
  await t.rejects(report({ ...own, edges: [other] }), { code: 'malformed-request' }, 'of another trust domain');
});

t.test('the index of records takes in what waits before it on a beat, and not with an issuance', async (t) => {
  const master = await withAccessKey(t);
  const region = await master.region('us-east-1');
  const issue = (): Promise<unknown> => region.issue({ date: day(TODAY), accessKeyIds: ['AKIAONE'] });
  const waiting = async (): Promise<number> => {
    const sql = "SELECT gin_clean_pending_list('issuance_by_access_key')::integer AS pages";
    return (await runSql<{ pages: number }>(master.database, sql))[0]?.pages ?? 0;
  };
  await waiting();
  await issue();
  t.equal(await waiting(), 1, 'what is recorded waits');
  await issue();
  await master.clock.advance(TIDY_EVERY_MS);
  await master.service.close();
  t.equal(await waiting(), 0);
  t.notMatch(master.logged.join(''), /index of records is not/);
});
